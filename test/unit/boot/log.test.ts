import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Level, kernelLog } from "../../../src/boot/log.ts";
import { type FakeOptions, attribute, fakeKernel } from "../../../syscalls/fake.ts";
import { intercept } from "../../../syscalls/intercept.ts";
import { refusalOf } from "../../../syscalls/methods.ts";

/** LOG_LINE_MAX of kernel/printk/printk.c with the longest prefix: a longer record is EINVAL. */
const longestRecord_bytes = 976;
const levels: readonly Level[] = ["error", "warning", "notice", "info", "debug"];

function machine(printk = "7 4 1 7", options: FakeOptions = {}, others: Record<string, string> = {}) {
  const kernel = Object.entries({ printk, ...others }).map(([name, value]) => [
    name,
    attribute(() => `${value}\n`),
  ]);
  return fakeKernel({
    rootfs: { dev: {}, proc: {} },
    mounts: [
      { at: "/proc", type: "proc" },
      { at: "/dev", type: "devtmpfs" },
    ],
    proc: { sys: { kernel: Object.fromEntries(kernel) } },
    ...options,
  });
}

/** What a message of each level leaves in the kernel's log and on the console. */
function say(
  kernel: ReturnType<typeof fakeKernel>,
  debug = true,
): { kmsg: readonly string[]; console: string } {
  const log = kernelLog(kernel.sys, () => debug);
  for (const level of levels) log[level](level);
  return { kmsg: kernel.kmsg, console: kernel.console };
}

const records = [
  "<3>rdinit: error\n",
  "<4>rdinit: warning\n",
  "<5>rdinit: notice\n",
  "<6>rdinit: info\n",
  "<7>rdinit: debug\n",
];

describe("where a message goes", () => {
  test("all to the kernel's log, whose consoles show it", () => {
    expect(say(machine())).toEqual({ kmsg: records, console: "" });
  });

  test("quiet: what the kernel hides and a person must see goes to the console", () => {
    expect(say(machine("4 4 1 7"))).toEqual({
      kmsg: records,
      console: "rdinit: warning\r\nrdinit: notice\r\n",
    });
  });

  test("debug messages only when they are wanted", () => {
    expect(say(machine(), false).kmsg).toEqual(records.slice(0, 4));
  });

  test("printk.devkmsg=off: the kernel takes records without a word, so the console has them", () => {
    const kernel = machine("7 4 1 7", {}, { printk_devkmsg: "off" });
    expect(say(kernel).console).toBe("rdinit: error\r\nrdinit: warning\r\nrdinit: notice\r\n");
  });

  test("no /dev/kmsg: the console", () => {
    const kernel = machine();
    kernel.sys.unlinkat(-100, "/dev/kmsg", 0);
    expect(say(kernel)).toEqual({
      kmsg: [],
      console: "rdinit: error\r\nrdinit: warning\r\nrdinit: notice\r\n",
    });
  });

  test("a record that the kernel refuses: the console", () => {
    const kernel = machine();
    const kmsg = new Set<unknown>();
    const sys = intercept(kernel.sys, (call, proceed) => {
      const result = call.name === "write" && kmsg.has(call.args[0]) ? undefined : proceed();
      if (result === undefined && call.name === "write") throw refusalOf(call.name, call.args, "EINVAL");
      if (call.name === "open" && call.args[0] === "/dev/kmsg") kmsg.add(result);
      if (call.name === "open" && call.args[0] !== "/dev/kmsg") kmsg.delete(result);
      return result;
    });
    kernelLog(sys, () => true).error("message");
    expect(kernel.console).toBe("rdinit: message\r\n");
  });

  test("no console either, no /proc: silence, and no error", () => {
    const kernel = fakeKernel();
    expect(say(kernel)).toEqual({ kmsg: [], console: "" });
  });

  test("what was held open still serves when /dev is gone", () => {
    const kernel = machine();
    const log = kernelLog(kernel.sys, () => true);
    kernel.sys.umount("/dev", 2);
    log.error("last words");
    expect(kernel.kmsg).toEqual(["<3>rdinit: last words\n"]);
  });

  test("no descriptor is left open by a message, nor inherited by a child", () => {
    const kernel = machine();
    const log = kernelLog(kernel.sys, () => true);
    const before = [...kernel.machine.fds.keys()];
    for (let i = 0; i < 20; i++) log.error("again");
    expect([...kernel.machine.fds.keys()]).toEqual(before);
    const own = [...kernel.machine.fds].filter(([fd]) => fd > 2);
    expect(own.length).toBe(2);
    expect(own.every(([, { closeOnExec }]) => closeOnExec)).toBe(true);
  });
});

/** The records that an error with this message leaves. */
function recordsOf(message: string): string[] {
  const kernel = machine();
  kernelLog(kernel.sys, () => true).error(message);
  return [...kernel.kmsg];
}

describe("long and hostile messages", () => {
  test("are cut between words", () => {
    const message = "word ".repeat(500).trim();
    const cut = recordsOf(message);
    expect(cut.length).toBe(3);
    expect(cut[0]).toMatch(/^<3>rdinit: word [^\n]* word\n$/);
    expect(cut[1]).toMatch(/^<3>rdinit: {3}word /);
    expect(cut.join(" ").match(/word/g)).toHaveLength(500);
  });

  test("without a blank are cut all the same", () => {
    expect(recordsOf("x".repeat(5000)).join("").match(/x/g)).toHaveLength(5000);
  });

  test("line breaks and escape sequences of both kinds can't break the console", () => {
    expect(recordsOf("a\nb\x1b[2Jc\x9b2Jd\0")).toEqual(["<3>rdinit: a b [2Jc 2Jd \n"]);
  });

  test("in any language are records that the kernel takes, with every character whole", () => {
    const unit = fc.constantFrom("字", "é", "😀", "a", " ");
    fc.assert(
      fc.property(fc.string({ unit, minLength: 0, maxLength: 1500, size: "max" }), (message) => {
        const written = recordsOf(message);
        for (const record of written) {
          expect(record.length).toBeLessThanOrEqual(longestRecord_bytes);
          expect(() =>
            new TextDecoder("utf8", { fatal: true }).decode(Buffer.from(record, "latin1")),
          ).not.toThrow();
        }
        const kept = Buffer.from(written.join(""), "latin1")
          .toString("utf8")
          .replace(/<3>rdinit:|\s/g, "");
        expect(kept).toBe(message.replace(/\s/g, ""));
      }),
      { numRuns: 40, interruptAfterTimeLimit: 2000, markInterruptAsFailure: true },
    );
  });
});
