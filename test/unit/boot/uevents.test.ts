import { expect, test } from "bun:test";
import { UserError } from "../../../src/lib/errors.ts";
import { openUevents } from "../../../src/boot/uevents.ts";
import { fakeKernel } from "../../../syscalls/fake.ts";
import { collectLog } from "../../fixtures/collect-log.ts";
import { settle } from "../../fixtures/virtual-time.ts";

const event = (name: string): string =>
  `add@/devices/${name}\0ACTION=add\0DEVPATH=/devices/${name}\0SEQNUM=1\0`;

function listen(onEvent: (devpath: string) => void = () => {}) {
  const kernel = fakeKernel();
  const { log, lines } = collectLog();
  const seen: string[] = [];
  let over = false;
  void openUevents(kernel.sys)
    .run(log, {
      event({ devpath }) {
        seen.push(devpath);
        onEvent(devpath);
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
  void uevents.run(collectLog().log, { event: ({ devpath }) => void seen.push(devpath), lost: () => {} });
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
  kernel.deliver(event("a"));
  await settle();
  expect(seen).toEqual(["lost", "/devices/a"]);
  expect(lines).toHaveLength(1);
});

test("an event that can't be used is told and ends nothing", async () => {
  const { kernel, seen, lines, isOver } = listen((devpath) => {
    if (devpath !== "/devices/good") throw new TypeError("undefined is not a function");
  });
  kernel.deliver(event("bad\n"));
  kernel.overrun();
  kernel.deliver(event("good"));
  await settle();
  expect(seen).toEqual(["/devices/bad\n", "lost", "/devices/good"]);
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
