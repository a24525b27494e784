/** The end of a machine in memory: its root is ext4 on LUKS on LVM on RAID1. */

import { describe, expect, test } from "bun:test";
import { exitrd } from "../../../src/exitrd/exitrd.ts";
import {
  type FakeKernel,
  type FakeOptions,
  type FakeMount,
  Rebooted,
  device,
  fakeKernel,
  symlink,
} from "../../../syscalls/fake.ts";
import { DM_DEV_REMOVE, STOP_ARRAY, type Syscalls } from "../../../syscalls/index.ts";
import { intercept } from "../../../syscalls/intercept.ts";
import { type Method, refusalOf } from "../../../syscalls/methods.ts";

const link = symlink("../../nowhere");

/** By device: what is below it, and what it is called in the log. */
const BELOW: Readonly<Record<string, string>> = { "dm-1": "dm-0", "dm-0": "md0", md0: "vda" };

const MOUNTS: readonly FakeMount[] = [
  { at: "/proc", type: "proc" },
  { at: "/sys", type: "sysfs" },
  { at: "/dev", type: "devtmpfs" },
  { at: "/run", type: "tmpfs" },
  { at: "/oldroot", type: "ext4", dev: "253:1", source: "/dev/mapper/root", tree: { proc: {}, home: {} } },
  { at: "/oldroot/proc", type: "proc" },
];

function endingMachine(changes: FakeOptions = {}): FakeKernel {
  const kernel: FakeKernel = fakeKernel({
    rootfs: { proc: {}, sys: {}, dev: {}, run: {}, oldroot: {}, shutdown: "" },
    argv: ["/shutdown", "poweroff"],
    exe: "/shutdown",
    mounts: MOUNTS,
    proc: { cmdline: "root=/dev/mapper/root quiet\n" },
    sysfs: {
      block: {
        "dm-0": { dev: "253:0\n", dm: { name: "vg-root", uuid: "LVM-x" }, holders: { "dm-1": link } },
        "dm-1": { dev: "253:1\n", dm: { name: "root", uuid: "CRYPT-LUKS2-x" }, holders: {} },
        md0: { dev: "9:0\n", md: { array_state: "active\n" }, holders: { "dm-0": link } },
        vda: { dev: "254:0\n", holders: { md0: link } },
      },
    },
    devtmpfs: {
      md0: device("block", "9:0"),
      mapper: { control: device("char", "10:236") },
      console: device("char", "5:1"),
      kmsg: device("char", "1:11"),
    },
    devices: {
      "char 10:236": {
        ioctl(request, argument) {
          if (request !== DM_DEV_REMOVE || typeof argument === "number") throw new Error("another request");
          const view = new DataView(argument.buffer);
          expect([view.getUint32(0, true), view.getUint32(12, true)]).toEqual([4, 312]);
          letGo(kernel, `dm-${Number(view.getBigUint64(40, true) & 0xffn)}`);
          return 0;
        },
      },
      "block 9:0": {
        ioctl(request) {
          if (request !== STOP_ARRAY) throw new Error("another request");
          letGo(kernel, "md0");
          return 0;
        },
      },
    },
    ...changes,
  });
  return kernel;
}

function letGo(kernel: FakeKernel, name: string): void {
  const block = (path: string) => {
    const inode = kernel.machine.placeIfThere(`/sys/block${path}`)?.inode;
    if (inode?.kind !== "directory") throw new Error(`no ${path}`);
    return inode.entries;
  };
  const isMounted = name === "dm-1" && kernel.mounts().some(({ dev }) => dev === "253:1");
  if (block(`/${name}/holders`).size > 0 || isMounted) throw refusalOf("slow.ioctl", [], "EBUSY");
  block("").delete(name);
  block(`/${BELOW[name]}/holders`).delete(name);
}

async function run(kernel: FakeKernel, sys = kernel.sys, action: "power_off" | "kexec" = "power_off") {
  const end: unknown = await exitrd(sys, action).catch((thrown: unknown) => thrown);
  const lines = kernel.kmsg.map((line) => line.trimEnd());
  return { end: end instanceof Rebooted ? end.action : end, lines };
}

describe("all of it", () => {
  test("in order, and in few words", async () => {
    const kernel = endingMachine();
    expect(await run(kernel)).toEqual({
      end: "power_off",
      lines: [
        "<6>rdinit: back from the system that has ended: taking its storage apart",
        "<6>rdinit: unmounted / (/dev/mapper/root)",
        "<6>rdinit: closed the encrypted volume root",
        "<6>rdinit: closed the logical volume vg-root",
        "<6>rdinit: stopped the array md0",
        "<6>rdinit: all storage is taken apart",
        "<6>rdinit: powering off",
      ],
    });
    expect(kernel.mounts().map(({ path }) => path)).toEqual(["/", "/proc", "/sys", "/dev", "/run"]);
    const said = kernel.calls.map(({ name }) => name).filter((name) => /sync|umount|reboot/.test(name));
    expect(said.slice(-2)).toEqual(["slow.sync", "reboot"]);
    // What is lazy is not done.
    expect(kernel.calls.filter(({ name, args }) => name.endsWith("umount") && args[1] !== 0)).toEqual([]);
  });

  test("processes are ended first, and those of the storage last", async () => {
    const kernel = endingMachine({
      processes: [
        { pid: 50, name: "stray" },
        { pid: 51, name: "mdmon", argv: ["@sbin/mdmon"] },
      ],
    });
    const { end } = await run(kernel);
    expect(end).toBe("power_off");
    expect(kernel.machine.processes.all.has(50)).toBe(false);
    expect(kernel.machine.processes.all.has(51)).toBe(true);
  });
});

/** The machine's calls, this one refused as often as `refuses` says. */
function refusing(kernel: FakeKernel, method: Method, refuses: (first: unknown) => boolean): Syscalls {
  return intercept(kernel.sys, ({ name, args }, proceed) => {
    if (name !== method || !refuses(args[0])) return proceed();
    const error = refusalOf(name, args, "EBUSY");
    if (name.startsWith("slow.")) return Promise.reject(error);
    throw error;
  });
}

const oldRootBusy = (path: unknown): boolean => path === "/oldroot";

describe("what does not go", () => {
  test("a root in use is told, made read-only, and the machine ends", async () => {
    const kernel = endingMachine();
    const { end, lines } = await run(kernel, refusing(kernel, "slow.umount", oldRootBusy));
    expect(end).toBe("power_off");
    expect(lines.filter((line) => line.startsWith("<4>"))).toEqual([
      "<4>rdinit: / (/dev/mapper/root) stays as it is: umount /oldroot: in use (EBUSY).",
      "<4>rdinit: the encrypted volume root stays as it is: ioctl: in use (EBUSY).",
      "<4>rdinit: the logical volume vg-root stays as it is: the encrypted volume root stands on it.",
      "<4>rdinit: the array md0 stays as it is: the logical volume vg-root stands on it.",
    ]);
    expect(kernel.mounts().find(({ path }) => path === "/oldroot")?.flags).toBe(1);
  });

  test("processes that hold it up are killed then, and it is tried again", async () => {
    const kernel = endingMachine({ processes: [{ pid: 51, name: "fuse", argv: ["@fuse"] }] });
    const holds = (): boolean => kernel.machine.processes.all.has(51);
    const held = refusing(kernel, "slow.umount", (path) => oldRootBusy(path) && holds());
    const { end, lines } = await run(kernel, held);
    expect(end).toBe("power_off");
    expect(lines).toContain("<6>rdinit: all storage is taken apart");
  });

  test("without /sys the machine ends all the same", async () => {
    const kernel = endingMachine({ sysfs: {} });
    const { end, lines } = await run(kernel);
    expect(end).toBe("power_off");
    expect(lines.some((line) => line.startsWith("<3>rdinit: The storage can't be taken apart"))).toBe(true);
  });

  test("a disk that can't be written to does not hold it up", async () => {
    const kernel = endingMachine();
    expect(
      (
        await run(
          kernel,
          refusing(kernel, "slow.sync", () => true),
        )
      ).end,
    ).toBe("power_off");
  });
});

test("kexec without a kernel that was loaded is a reboot", async () => {
  const kernel = endingMachine();
  const sys = refusing(kernel, "reboot", (action) => action === "kexec");
  const { end, lines } = await run(kernel, sys, "kexec");
  expect(end).toBe("restart");
  expect(lines.slice(-3)).toEqual([
    "<6>rdinit: starting the kernel that is loaded",
    expect.stringContaining("<3>rdinit: The machine does not end: reboot: "),
    "<6>rdinit: rebooting",
  ]);
});
