import { expect, test } from "bun:test";
import { UserError } from "../../../../src/lib/errors.ts";
import { openUevents } from "../../../../src/boot/devices/uevents.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { settle } from "../../../fixtures/virtual-time.ts";

const event = (name: string): string =>
  `add@/devices/${name}\0ACTION=add\0DEVPATH=/devices/${name}\0SEQNUM=1\0`;

function listen(onEvent: (devpath: string) => void = () => {}) {
  const kernel = fakeKernel();
  const { log, lines } = collectLog();
  const seen: string[] = [];
  let over = false;
  void openUevents(kernel.sys)
    .run(log, {
      events(events) {
        for (const { devpath } of events) {
          seen.push(devpath);
          onEvent(devpath);
        }
      },
      lost() {
        seen.push("lost");
        onEvent("lost");
      },
    })
    .then(() => (over = true));
  return { kernel, lines, seen, isOver: () => over };
}

test("events come in their order, those that came while one was handled too", async () => {
  const { kernel, seen, lines } = listen();
  kernel.deliver(event("a"));
  kernel.deliver(event("b"));
  await settle();
  kernel.deliver(event("c"));
  await settle();
  expect(seen).toEqual(["/devices/a", "/devices/b", "/devices/c"]);
  expect(lines).toEqual([]);
});

test("what came before the first look is kept", async () => {
  const kernel = fakeKernel();
  const uevents = openUevents(kernel.sys);
  kernel.deliver(event("early"));
  const seen: string[] = [];
  void uevents.run(collectLog().log, {
    events: (events) => void seen.push(...events.map(({ devpath }) => devpath)),
    lost: () => {},
  });
  await settle();
  expect(seen).toEqual(["/devices/early"]);
});

test("only the kernel is believed, and only whole events", async () => {
  const { kernel, seen } = listen();
  kernel.deliver(event("forged"), 4711);
  kernel.deliver("libudev\0junk");
  kernel.deliver(event("true"));
  await settle();
  expect(seen).toEqual(["/devices/true"]);
});

test("after an overrun all is looked at anew, and the stream goes on", async () => {
  const { kernel, seen, lines } = listen();
  kernel.overrun();
  await settle();
  kernel.deliver(event("a"));
  await settle();
  expect(seen).toEqual(["lost", "/devices/a"]);
  expect(lines).toHaveLength(1);
});

test("after an overrun nothing that is queued is taken in: until the queue is empty the kernel drops what comes", async () => {
  const { kernel, seen, lines } = listen();
  for (const name of ["before", "still before"]) kernel.deliver(event(name));
  kernel.overrun();
  kernel.deliver(event("behind"));
  kernel.overrun();
  await settle();
  expect(seen).toEqual(["lost"]);
  kernel.overrun();
  kernel.deliver(event("dropped too"));
  await settle();
  expect(seen).toEqual(["lost", "lost"]);
  // Told once: a storm would fill the console.
  expect(lines.filter((line) => line.startsWith("warning"))).toHaveLength(1);
});

test("what comes in a storm is handed on in parts, in its order", async () => {
  const kernel = fakeKernel();
  const parts: string[][] = [];
  const uevents = openUevents(kernel.sys);
  const names = Array.from({ length: 1000 }, (_, at) => `d${at}`);
  for (const name of names) kernel.deliver(event(name));
  void uevents.run(collectLog().log, {
    events: (events) => void parts.push(events.map(({ devpath }) => devpath)),
    lost: () => {},
  });
  await settle();
  expect(parts.flat()).toEqual(names.map((name) => `/devices/${name}`));
  expect(Math.max(...parts.map((part) => part.length))).toBe(256);
});

test("an event that can't be used is told and ends nothing", async () => {
  const { kernel, seen, lines, isOver } = listen((devpath) => {
    if (devpath !== "/devices/good") throw new TypeError("undefined is not a function");
  });
  kernel.deliver(event("bad\n"));
  await settle();
  kernel.overrun();
  await settle();
  kernel.deliver(event("good"));
  await settle();
  // The bad one was handed on a second time, alone.
  expect(seen).toEqual(["/devices/bad\n", "/devices/bad\n", "lost", "/devices/good"]);
  expect(lines[0]).toBe(
    "error: The event of /devices/bad\\n can't be taken in: undefined is not a function.",
  );
  expect(isOver()).toBe(false);
});

test("a kernel without netlink has its sentence", () => {
  const { sys } = fakeKernel({ missing: ["socket"] });
  expect(() => openUevents(sys)).toThrow(UserError);
  expect(() => openUevents(sys)).toThrow("The kernel's device events can't be listened to: socket: ");
});
