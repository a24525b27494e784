import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { keepExitrd, readExitrdSettings } from "../../../../src/boot/handover/keep-exitrd.ts";
import { planBoot } from "../../../../src/plan/plan.ts";
import { type FakeKernel, type FakeOptions, fakeKernel, program } from "../../../../syscalls/fake.ts";
import { AT_FDCWD, exists, list, readText } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

const self = `\x7fELF${"content".repeat(300_000)}`;

function machine(free_kib = 500_000, changes: FakeOptions = {}): FakeKernel {
  return fakeKernel({
    rootfs: { proc: {}, run: {}, init: program(self) },
    mounts: [
      { at: "/proc", type: "proc" },
      { at: "/run", type: "tmpfs" },
    ],
    proc: { meminfo: `MemTotal: 900000 kB\nMemAvailable:   ${free_kib} kB\n` },
    ...changes,
  });
}

describe("this program", () => {
  test("is kept when the boot is asked to", () => {
    const { sys } = machine();
    const { boot, lines } = bootOn(sys, "rd.exitrd");
    keepExitrd(boot);
    expect(readText(sys, "/run/initramfs/shutdown")).toBe(self);
    expect(sys.stat(AT_FDCWD, "/run/initramfs/shutdown").mode).toBe(0o755);
    expect(list(sys, "/run/initramfs")).toHaveLength(1);
    expect(lines).toEqual([
      "info: /run/initramfs/shutdown is kept for the end of the system, 2 MB of memory",
    ]);
    // A boot that is tried again has it already.
    keepExitrd(boot);
    expect(lines).toHaveLength(1);
  });

  test("is not kept otherwise", () => {
    const kernel = machine();
    keepExitrd(bootOn(kernel.sys, "quiet rd.exitrd rd.exitrd=0").boot);
    expect(exists(kernel.sys, "/run/initramfs")).toBe(false);
  });

  test("is not kept where there is too little memory", () => {
    const { sys } = machine(60_000);
    const { boot, lines } = bootOn(sys, "rd.exitrd");
    keepExitrd(boot);
    expect(lines).toEqual([
      "warning: nothing is kept for the end of the system, as rd.exitrd asks: 59 MiB of memory are free, and it takes 2 MiB with 64 MiB to spare.",
    ]);
    expect(list(sys, "/run/initramfs")).toEqual([]);
  });

  test("never half, and never at the price of the boot", () => {
    const whole = machine();
    keepExitrd(bootOn(whole.sys, "rd.exitrd").boot);
    for (let fails = 0; fails < whole.calls.length; fails++) {
      const kernel = machine();
      let count = 0;
      const sys = intercept(kernel.sys, ({ name, args }, proceed) => {
        if (count++ === fails) throw refusalOf(name, args, "EIO");
        return proceed();
      });
      const { boot, lines } = bootOn(sys, "rd.exitrd");
      keepExitrd(boot);
      const kept = exists(kernel.sys, "/run/initramfs/shutdown");
      if (kept) expect(readText(kernel.sys, "/run/initramfs/shutdown")).toBe(self);
      else expect(lines[0]).toStartWith("warning: nothing is kept");
    }
  });
});

const read = (line: string) => readExitrdSettings(parseCommandLine(line));

test("the parameter: the last one counts, and what it can't be is told", () => {
  expect(read("quiet")).toEqual({ keep: false, complaints: [] });
  expect(read("rd.exitrd=0 rd.exitrd").keep).toBe(true);
  expect(read("rd.exitrd=yes rd.exitrd=no").keep).toBe(false);
  expect(read("rd.exitrd=2").complaints).toEqual([
    "rd.exitrd=2 is ignored: it is neither 0 nor 1. Usage: rd.exitrd[=0|1].",
  ]);
});

const planned = (line: string) => planBoot(`root=/dev/vda1 ${line}`).steps.join(" ");

test("rdinit plan says so", () => {
  expect(planned("rd.exitrd")).toContain(
    "Keep this program in /run/initramfs, for the end of the system. End all",
  );
  expect(planned("")).not.toContain("/run/initramfs");
});
