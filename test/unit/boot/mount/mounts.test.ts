import { describe, expect, test } from "bun:test";
import { baseMounts, isMountPoint, mountBase } from "../../../../src/boot/mount/mounts.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { fakeKernel, symlink } from "../../../../syscalls/fake.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";

describe("the base mounts", () => {
  test("are made where nothing is, directories included", () => {
    const kernel = fakeKernel();
    mountBase(kernel.sys);
    expect(kernel.mounts().map(({ path, type }) => [path, type])).toEqual([
      ["/", "tmpfs"],
      ["/proc", "proc"],
      ["/sys", "sysfs"],
      ["/dev", "devtmpfs"],
      ["/run", "tmpfs"],
    ]);
    expect(kernel.sys.stat(-100, "/run").mode).toBe(0o755);
  });

  test("have the flags of the hand-over contract: /run is executable", () => {
    const flags = new Map(baseMounts.map((mount) => [mount.target, mount.flags]));
    expect((flags.get("/run") ?? 0) & (MS_NOSUID | MS_NODEV | MS_NOEXEC)).toBe(MS_NOSUID | MS_NODEV);
    expect((flags.get("/proc") ?? 0) & (MS_NOSUID | MS_NODEV | MS_NOEXEC)).toBe(
      MS_NOSUID | MS_NODEV | MS_NOEXEC,
    );
  });

  test("that are there are left as they are", () => {
    const kernel = fakeKernel({
      rootfs: { proc: {}, dev: {} },
      mounts: [
        { at: "/proc", type: "proc" },
        { at: "/dev", type: "tmpfs", tree: { mine: "file" } },
      ],
    });
    mountBase(kernel.sys);
    mountBase(kernel.sys);
    expect(kernel.mounts().map(({ path }) => path)).toEqual(["/", "/proc", "/dev", "/sys", "/run"]);
    expect(kernel.sys.stat(-100, "/dev/mine").type).toBe("file");
  });

  test("one of the same kind that is there already is no fault", () => {
    const sys = intercept(fakeKernel().sys, (call, proceed) => {
      if (call.name !== "mount" || call.args[1] !== "/sys") return proceed();
      throw refusalOf(call.name, call.args, "EBUSY");
    });
    expect(() => mountBase(sys)).not.toThrow();
  });

  for (const { target, type, need } of baseMounts)
    test(`a kernel without ${type} is told what it lacks`, () => {
      const sys = intercept(fakeKernel().sys, (call, proceed) => {
        if (call.name !== "mount" || call.args[1] !== target) return proceed();
        throw refusalOf(call.name, call.args, "ENODEV");
      });
      const thrown = thrownBy(() => mountBase(sys));
      expect(thrown?.message).toStartWith(`${target} can't be mounted: mount ${target}: `);
      expect(thrown?.remedy).toBe(`The kernel needs ${need}.`);
    });

  test("a file in the place of a directory has its sentence", () => {
    const thrown = thrownBy(() => mountBase(fakeKernel({ rootfs: { sys: "file" } }).sys));
    expect(thrown?.message).toStartWith("/sys can't be mounted: mkdir /sys: ");
  });
});

test("a mount point is where another filesystem than that of / stands", () => {
  const { sys } = fakeKernel({
    rootfs: { a: {}, b: { c: {} }, file: "x", link: symlink("a") },
    mounts: [{ at: "/a", type: "tmpfs" }],
  });
  const answers = ["/a", "/link", "/b", "/b/c", "/file", "/gone", "/file/x"].map((path) =>
    isMountPoint(sys, path),
  );
  expect(answers).toEqual([true, true, false, false, false, false, false]);
});

function thrownBy(act: () => void): UserError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  return undefined;
}
