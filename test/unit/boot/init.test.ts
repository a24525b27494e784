import { afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { parts } from "../../../src/boot/parts.ts";
import { init } from "../../../src/init.ts";
import {
  type FakeKernel,
  type Tree,
  Executed,
  attribute,
  device,
  fakeKernel,
  program,
  symlink,
} from "../../../syscalls/fake.ts";
import type { Syscalls } from "../../../syscalls/index.ts";
import { type Call, intercept } from "../../../syscalls/intercept.ts";
import { refusalOf } from "../../../syscalls/methods.ts";
import { realRoot } from "../../fixtures/early-machine.ts";
import { inVirtualTime } from "../../fixtures/virtual-time.ts";

/** A machine with one disk, /dev/vda, and a second one when its uevent is not empty, at the start of process 1: the stub has mounted /proc and /dev. */
function machine(line: string, more: Tree = {}, secondDisk = (): string => ""): FakeKernel {
  const disk = { uevent: "MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n", size: "2048\n" };
  return fakeKernel({
    rootfs: { init: program(), proc: {}, dev: {}, lib: { modules: { "6.1.0": {} } }, ...more },
    mounts: [
      { at: "/proc", type: "proc" },
      { at: "/dev", type: "devtmpfs" },
    ],
    proc: {
      cmdline: attribute(() => `${line}\n`),
      sys: { kernel: { printk: attribute(() => "7 4 1 7\n") } },
    },
    sysfs: {
      class: {
        block: {
          vda: symlink("../../devices/virtual/block/vda"),
          vdb: symlink("../../devices/virtual/block/vdb"),
        },
      },
      devices: {
        virtual: { block: { vda: disk, vdb: { uevent: attribute(secondDisk), size: "2048\n" } } },
      },
    },
    devtmpfs: { vda: device("block", "254:0"), vdb: device("block", "254:16") },
    devices: {
      "block 254:0": { read: (length) => new Uint8Array(length) },
      "block 254:16": { read: (length) => new Uint8Array(length) },
    },
    disks: { "254:0": { type: "ext4", tree: realRoot }, "254:16": { type: "ext4", tree: realRoot } },
    argv: ["/init", "single"],
    env: ["HOME=/", "TERM=linux"],
  });
}

const vdaChanged =
  "change@/devices/virtual/block/vda\0ACTION=change\0DEVPATH=/devices/virtual/block/vda\0SUBSYSTEM=block\0SEQNUM=1\0";

interface Run {
  readonly calls: Call[];
  executed: Executed | undefined;
  over: boolean;
}

function start(kernel: FakeKernel, around = (_: Call, proceed: () => unknown): unknown => proceed()): Run {
  const run: Run = { calls: [], executed: undefined, over: false };
  const sys: Syscalls = intercept(kernel.sys, (call, proceed) => {
    run.calls.push(call);
    try {
      return around(call, proceed);
    } catch (error) {
      if (error instanceof Executed) run.executed = error;
      throw error;
    }
  });
  const end = (): void => void (run.over = true);
  init(sys, {}).then(end, end);
  return run;
}

// init() takes the process's own last exits for itself.
const events = ["uncaughtException", "unhandledRejection"] as const;
let before: Function[] = [];
// A chunk of /init is there at once; under the test runner it is a file.
beforeAll(async () => {
  await Promise.all(Object.values(parts).map((load) => load()));
});
beforeEach(() => {
  before = events.flatMap((event) => process.listeners(event as "exit") as Function[]);
});
afterEach(() => {
  for (const event of events)
    for (const listener of process.listeners(event as "exit") as Function[])
      if (!before.includes(listener)) process.removeListener(event, listener as () => void);
});

test("from the first line to the real init", async () => {
  await inVirtualTime(async (advance) => {
    const kernel = machine("root=/dev/vda rootfstype=ext4 ro");
    const run = start(kernel);
    await advance(0);
    expect(kernel.kmsg.filter((line) => /^<[345]>/.test(line)).slice(0, 1)).toEqual([
      expect.stringContaining(
        "The hand-over failed at starting /sbin/init: the process now runs /sbin/init.",
      ),
    ]);
    expect(run.executed).toMatchObject({
      path: "/sbin/init",
      argv: ["/sbin/init", "single"],
      env: ["HOME=/", "TERM=linux"],
    });
    expect(kernel.mounts().map(({ path, type, flags }) => [path, type, flags & 1])).toContainEqual([
      "/",
      "ext4",
      1,
    ]);
    expect(kernel.files()).toEqual(["/sysroot"]);
  });
});

test("a whole system in the initramfs: its own init, in place", async () => {
  await inVirtualTime(async (advance) => {
    const kernel = machine("quiet rd.md=0", { sbin: { init: program() } });
    const run = start(kernel);
    await advance(0);
    expect(run.executed).toMatchObject({ path: "/sbin/init", argv: ["/sbin/init", "single"] });
    expect(kernel.mounts().map(({ path }) => path)).toEqual(["/", "/proc", "/dev", "/sys", "/run"]);
    expect(kernel.files()).toContain("/init");
    expect(kernel.files()).not.toContain("/sysroot");
  });
});

test("a whole system in the initramfs: rd.break= stops it where hooks would be", async () => {
  for (const point of ["pre-mount", "mount", "pre-pivot"])
    await inVirtualTime(async (advance) => {
      const kernel = machine(`rd.break=${point}`, { sbin: { init: program() } });
      const run = start(kernel);
      await advance(0);
      expect(kernel.kmsg.join("")).toContain(
        `rd.break=${point} is passed over. The image holds no rescue shell.`,
      );
      expect(run.executed).toMatchObject({ path: "/sbin/init" });
    });
});

test("a /sbin/init that comes later, as a rescue shell makes one, is no reason to hand over to it", async () => {
  await inVirtualTime(async (advance) => {
    const kernel = machine("", { bin: { busybox: program() } });
    const run = start(kernel);
    await advance(0);
    expect(kernel.kmsg.join("")).toContain("The kernel command line names no root filesystem.");
    kernel.sys.mkdir("/sbin", 0o755);
    kernel.sys.symlink("/bin/busybox", "/sbin/init");
    kernel.deliver(vdaChanged);
    await advance(2000);
    expect(kernel.kmsg.join("").match(/names no root filesystem/g)).toHaveLength(2);
    expect(run.executed).toBeUndefined();
  });
});

test("what can't be taken back is not tried again", async () => {
  await inVirtualTime(async (advance) => {
    const kernel = machine("root=/dev/vda rootfstype=ext4");
    const run = start(kernel, (call, proceed) => {
      if (call.name !== "execve") return proceed();
      throw refusalOf(call.name, call.args, "ENOEXEC");
    });
    await advance(0);
    kernel.deliver(vdaChanged);
    await advance(100_000);
    const said = kernel.kmsg.join("");
    expect(said).toContain("The hand-over failed at starting /sbin/init: execve /sbin/init: ");
    expect(said).toContain("Nothing is left that could be tried again.");
    expect(said).not.toContain("the boot is tried again");
    expect(run.calls.filter(({ name }) => name === "execve")).toHaveLength(1);
    expect(run.over).toBe(false);
  });
});

test("a root that is not there is waited for, and taken when a device appears", async () => {
  await inVirtualTime(async (advance) => {
    const kernel = machine("root=/dev/vdb rootfstype=ext4 rd.timeout=2");
    const run = start(kernel);
    await advance(1999);
    expect(kernel.kmsg.join("")).not.toContain("did not appear");
    await advance(1);
    expect(kernel.kmsg.join("")).toContain("<3>rdinit: The root /dev/vdb did not appear.");
    expect(kernel.kmsg.join("")).toContain("<3>rdinit:   vda 1 MiB");
    // An event of any disk makes it look again.
    kernel.deliver(vdaChanged);
    await advance(2000);
    expect(kernel.kmsg.join("").match(/did not appear/g)).toHaveLength(2);
    expect(run.over).toBe(false);
  });
});

test("a root that appears while the failure is told is not missed", async () => {
  await inVirtualTime(async (advance) => {
    let isPlugged = false;
    let looks = 0;
    const kernel = machine("root=/dev/vdb rootfstype=ext4 rd.timeout=2", {}, () =>
      isPlugged ? "MAJOR=254\nMINOR=16\nDEVNAME=vdb\nDEVTYPE=disk\n" : "",
    );
    const run = start(kernel, (call, proceed) => {
      // Once for drivers, and when the boot has failed for what no module serves.
      if (call.name === "open" && call.args[0] === "/sys/bus" && ++looks === 2) {
        isPlugged = true;
        kernel.deliver(vdaChanged.replaceAll("vda", "vdb").replaceAll("change", "add"));
      }
      return proceed();
    });
    await advance(2000);
    expect(kernel.kmsg.join("")).toContain("The root /dev/vdb did not appear.");
    expect(kernel.kmsg.join("")).toContain("vdb has appeared meanwhile: the boot is tried again.");
    await advance(2000);
    expect(run.executed).toMatchObject({ path: "/sbin/init" });
  });
});

for (const [method, where] of [
  ["socket", "before a device is looked at"],
  ["slow.mount", "while the root is mounted"],
  ["statfs", "while the hand-over is prepared"],
  ["uname", "before anything can be tried again"],
  ["umask", "after the point of no return"],
] as const)
  test(`an error of our own ${where} is told with its stack, and never ends process 1`, async () => {
    await inVirtualTime(async (advance) => {
      const kernel = machine("root=/dev/vda rootfstype=ext4");
      const run = start(kernel, (call, proceed) => {
        if (call.name === method) throw new TypeError("x is not a function");
        return proceed();
      });
      await advance(5000);
      expect(run.over).toBe(false);
      expect(run.calls.some(({ name }) => name === method)).toBe(true);
      const said = kernel.kmsg.join("");
      expect(said).toContain("x is not a function");
      if (method === "socket" || method === "statfs" || method === "uname")
        expect(said).toMatch(
          /rdinit met an error of its own, please report it: TypeError: x is not a function +at /,
        );
    });
  });

test("a machine whose /proc can't be read says so and waits", async () => {
  await inVirtualTime(async (advance) => {
    const kernel = fakeKernel({
      rootfs: { dev: {} },
      mounts: [{ at: "/dev", type: "devtmpfs" }],
    });
    const run = start(kernel);
    await advance(10_000_000);
    expect(run.over).toBe(false);
    expect(kernel.kmsg.join("")).toContain("/proc/self/cmdline");
    expect(kernel.kmsg.at(-1)).toContain("waits here for ever");
  });
});
