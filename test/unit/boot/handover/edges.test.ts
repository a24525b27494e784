import { describe, expect, test } from "bun:test";
import { PointOfNoReturn } from "../../../../src/boot/handover/handover.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { type Tree, directory, fakeKernel, program, symlink } from "../../../../syscalls/fake.ts";
import { SIGKILL, SIGTERM } from "../../../../syscalls/index.ts";
import {
  earlyMachine,
  kernelMounts,
  mountPaths,
  realRoot,
  rootDevice,
  runHandOver,
} from "../../../fixtures/early-machine.ts";

/** What processes a hand-over leaves, with what became of them. */
async function remaining(options: Parameters<typeof earlyMachine>[0]) {
  const kernel = earlyMachine(options);
  const outcome = await runHandOver(kernel);
  expect(outcome.kind).toBe("completed");
  return { left: [...kernel.machine.processes.all.values()].map(({ pid, ended }) => [pid, ended]), outcome };
}

describe("a new root", () => {
  for (const missing of ["dev", "proc", "sys", "run"])
    test(`without /${missing} gets none, and nothing of it stays mounted`, async () => {
      const { [missing]: _, ...newRoot } = realRoot;
      const kernel = earlyMachine({ newRoot });
      const outcome = await runHandOver(kernel);
      expect(outcome.kind).toBe("completed");
      expect(mountPaths(kernel)).toEqual(kernelMounts.filter((path) => path !== `/${missing}`));
      expect(kernel.machine.mounts.all).toHaveLength(5);
      expect(outcome.warnings).toHaveLength(missing === "dev" ? 1 : 0);
      if (missing === "dev") expect([...kernel.machine.fds.keys()]).toEqual([]);
    });

  test("whose /dev is a link keeps it, and nothing is mounted where it leads", async () => {
    const kernel = earlyMachine({ newRoot: { ...realRoot, dev: symlink("etc") } });
    await runHandOver(kernel);
    expect(mountPaths(kernel)).toEqual(["/", "/proc", "/run", "/sys"]);
  });

  const refusals: readonly [string, string, Parameters<typeof earlyMachine>[0]][] = [
    ["that is missing", "does not exist", { rootfs: {}, mounts: [] }],
    ["that is a file", "is a regular file, not a directory", { rootfs: { sysroot: "file" }, mounts: [] }],
    ["that is not mounted", "is not a mounted filesystem", { rootfs: { sysroot: {} }, mounts: [] }],
  ];
  for (const [name, words, options] of refusals)
    test(`${name} is refused`, async () => {
      const rootfs: Tree = { init: program(), proc: {}, ...options?.rootfs };
      const kernel = fakeKernel({ rootfs, mounts: [{ at: "/proc", type: "proc" }] });
      const outcome = await runHandOver(kernel);
      expect(outcome.kind).toBe("refused");
      expect(String(outcome.error)).toContain(`The new root /sysroot ${words}.`);
    });

  test("that is a link into another filesystem is refused: it could not be moved", async () => {
    const kernel = fakeKernel({
      rootfs: { init: program(), proc: {}, disk: {}, sysroot: symlink("disk/root") },
      mounts: [
        { at: "/proc", type: "proc" },
        { at: "/disk", type: "ext4", dev: rootDevice, tree: { root: directory(realRoot) } },
      ],
    });
    expect(String((await runHandOver(kernel)).error)).toContain("is not a mounted filesystem");
    expect(kernel.files()).toContain("/init");
  });
});

describe("the process", () => {
  test("that is not the first hands over nothing", async () => {
    const outcome = await runHandOver(earlyMachine({ pid: 7 }));
    expect(outcome.error).toBeInstanceOf(UserError);
    expect(outcome.error).not.toBeInstanceOf(PointOfNoReturn);
    expect(outcome.calls.map(({ name }) => name)).toEqual(["getpid"]);
  });

  test("starts the init that was asked for", async () => {
    const outcome = await runHandOver(earlyMachine(), undefined, { line: "init=/bin/dash" });
    expect(outcome.executed?.path).toBe("/bin/dash");
  });

  test("marks its files on a kernel without close_range", async () => {
    const kernel = earlyMachine({ missing: ["closeRange"] });
    const leaked = kernel.sys.open("/init", 0);
    expect(leaked).toBeGreaterThan(2);
    expect((await runHandOver(kernel)).warnings).toEqual([]);
    expect([...kernel.machine.fds.keys()].toSorted()).toEqual([0, 1, 2]);
  });

  test("leaves no console open where there is none", async () => {
    const kernel = earlyMachine();
    kernel.sys.unlinkat(-100, "/dev/console", 0);
    const outcome = await runHandOver(kernel);
    expect(outcome.kind).toBe("completed");
    expect(outcome.warnings).toEqual([
      expect.stringMatching(/^the new init starts without a console: .*\.$/),
    ]);
    expect([...kernel.machine.fds.keys()]).toEqual([]);
  });
});

describe("other processes", () => {
  test("children, their children and zombies are gone; kernel threads and storage daemons stay", async () => {
    const { left, outcome } = await remaining({
      processes: [
        { pid: 2, ppid: 0, name: "kthreadd", kernelThread: true },
        { pid: 40, name: "dhcp" },
        { pid: 41, ppid: 40, name: "hook" },
        { pid: 42, ppid: 41, name: "of the hook" },
        { pid: 43, name: "mdmon", argv: ["@sbin/mdmon", "md0"] },
        { pid: 44, name: "@comm only", argv: ["/bin/x"] },
      ],
    });
    expect(left.map(([pid]) => pid)).toEqual([2, 43]);
    expect(outcome.warnings).toEqual([]);
  });

  test("that do not hear SIGTERM are killed", async () => {
    const { left, outcome } = await remaining({
      processes: [{ pid: 50, name: "deaf", ignores: [SIGTERM] }],
    });
    expect(left).toEqual([]);
    const signals = outcome.calls.filter(({ name }) => name === "kill").map(({ args }) => args[1]);
    expect(signals.indexOf(SIGKILL)).toBeGreaterThan(signals.indexOf(SIGTERM));
  });

  test("that are stuck in the kernel are named and left", async () => {
    const { left, outcome } = await remaining({
      processes: [{ pid: 50, name: "stuck\n", ignores: [SIGTERM, SIGKILL] }],
    });
    expect(left).toEqual([[50, undefined]]);
    expect(outcome.warnings).toEqual(["process 50 (stuck\\n) does not end and is left to the new init."]);
  });
});
