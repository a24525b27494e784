import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { findOwnInit, handOverInPlace } from "../../../../src/boot/handover/in-place.ts";
import { plainLog } from "../../../../src/boot/log.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { planBoot } from "../../../../src/plan/plan.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { noTiming } from "../../../../src/boot/timing/timing.ts";
import { type FakeKernel, type FakeOptions, type Tree, symlink } from "../../../../syscalls/fake.ts";
import { type Call, intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import {
  contentText,
  earlyMachine,
  earlyRootfs,
  legacy,
  mountPaths,
  rootfsOf,
} from "../../../fixtures/early-machine.ts";
import { temporaryTree } from "../../../fixtures/temporary.ts";

const system: Tree = { ...earlyRootfs, sbin: { init: symlink("../bin/busybox") } };

interface InPlace {
  readonly boot: Boot;
  readonly kernel: FakeKernel;
  readonly warnings: string[];
  readonly calls: Call[];
}

function machine(options: FakeOptions = {}, line = ""): InPlace {
  const kernel = earlyMachine({ rootfs: system, ...options });
  const warnings: string[] = [];
  const calls: Call[] = [];
  const words = parseCommandLine(line);
  const sys = intercept(kernel.sys, (call, proceed) => {
    calls.push(call);
    return proceed();
  });
  const log = plainLog((level, message) => {
    if (level === "warning" || level === "error") warnings.push(message);
  });
  const boot = {
    sys,
    log,
    options: readOptions(words).options,
    words,
    legacy,
    reaper: new Reaper(sys),
    timing: noTiming,
  };
  return { boot, kernel, warnings, calls };
}

describe("the init of the image itself", () => {
  test.each([
    ["", "/sbin/init"],
    ["init=/bin/busybox", "/bin/busybox"],
    // Another root is named.
    ["root=/dev/vda", undefined],
    ["init=/nowhere", undefined],
    ["init=busybox", undefined],
    // rdinit itself would go round in circles.
    ["init=/init", undefined],
  ])("with %p is %p", (line, init) => {
    expect(findOwnInit(machine({}, line).boot)).toBe(init);
  });

  test("is none when there is no /sbin/init, when that is rdinit, and in a boot partition", () => {
    expect(findOwnInit(machine({ rootfs: earlyRootfs }).boot)).toBeUndefined();
    const linked = { ...earlyRootfs, sbin: { init: symlink("/init") } };
    expect(findOwnInit(machine({ rootfs: linked }).boot)).toBeUndefined();
    expect(findOwnInit(machine({ rootfsType: "ext4" }).boot)).toBeUndefined();
  });
});

describe("handing over in place", () => {
  test("starts it with what the kernel gave, and moves and deletes nothing", async () => {
    const { boot, kernel, warnings, calls } = machine();
    const before = { content: contentText(rootfsOf(kernel)), mounts: mountPaths(kernel) };
    const thrown: unknown = await handOverInPlace(boot, "/sbin/init").catch((error: unknown) => error);
    // The fake kernel tells by an exception that another program runs now.
    expect(String(thrown)).toContain("the process now runs /sbin/init");
    expect(warnings).toEqual([]);
    expect(calls.findLast(({ name }) => name === "execve")?.args).toEqual([
      "/sbin/init",
      ["/sbin/init", ...legacy.args],
      [...legacy.env],
    ]);
    expect(contentText(rootfsOf(kernel))).toBe(before.content);
    expect(mountPaths(kernel)).toEqual(before.mounts);
    expect(calls.filter(({ name }) => /^(mount|umount|unlinkat|chroot|pivotRoot)$/.test(name))).toEqual([]);
    expect(kernel.machine.umask).toBe(0o22);
    expect([...kernel.machine.blocked]).toEqual([]);
    expect([...kernel.machine.fds.keys()].toSorted()).toEqual([0, 1, 2]);
  });

  test("refuses one that can't be started while all is as it was", async () => {
    const rootfs = { ...earlyRootfs, sbin: { init: "no program" } };
    const { boot, calls } = machine({ rootfs });
    await expect(handOverInPlace(boot, "/sbin/init")).rejects.toThrow(
      "holds no init that can be started: /sbin/init",
    );
    expect(calls.some(({ name }) => name === "execve" || name === "dup3")).toBe(false);
  });

  test("with each of its calls failing in turn, it is done or refused, and nothing else", async () => {
    const good = machine();
    await handOverInPlace(good.boot, "/sbin/init").catch(() => undefined);
    for (const [at, { name, args }] of good.calls.entries())
      for (const code of ["EIO", "ENOMEM", "EPERM"] as const) {
        const { boot } = machine();
        let count = 0;
        const sys = intercept(boot.sys, (call, proceed) => {
          if (count++ === at && call.name !== "getpid") throw refusalOf(call.name, call.args, code);
          return proceed();
        });
        const end: unknown = await handOverInPlace(
          { ...boot, sys, reaper: new Reaper(sys) },
          "/sbin/init",
        ).catch((error: unknown) => error);
        expect(end instanceof UserError, `${name} ${String(args[0])} ${code}: ${String(end)}`).toBe(true);
      }
  });

  test("is for process 1 alone", async () => {
    const { boot } = machine();
    const other = intercept(boot.sys, ({ name }, proceed) => (name === "getpid" ? 7 : proceed()));
    await expect(handOverInPlace({ ...boot, sys: other }, "/sbin/init")).rejects.toThrow("Only process 1");
  });
});

test("the plan says so, for an image that has an init", () => {
  const image = new RootTree(temporaryTree({ "sbin/init": "#!/bin/sh\n", "bin/sh": "x", init: "rdinit" }));
  const { steps, obstacle } = planBoot("quiet single", image);
  expect(obstacle).toBeUndefined();
  expect(steps).toContain(
    "Mount no root: none is named, and the image is a system of its own with /sbin/init.",
  );
  expect(steps.join("\n")).toContain("hand over to /sbin/init, with the arguments 'single'.");
  expect(planBoot("root=/dev/vda", image).steps.join("\n")).toContain("Wait for at most 30 s");
  const itself = new RootTree(temporaryTree({ "sbin/init": "-> /init", init: "rdinit" }));
  expect(planBoot("quiet", itself).obstacle).toContain("names no root filesystem");
});
