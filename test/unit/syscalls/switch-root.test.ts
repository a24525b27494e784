/** The hand-over on the fake kernel, call by call. */

import { describe, expect, test } from "bun:test";
import { failing } from "../../../syscalls/failing.ts";
import { Executed, type FakeKernel, fakeKernel } from "../../../syscalls/fake.ts";
import {
  AT_REMOVEDIR,
  CLOSE_RANGE_CLOEXEC,
  MNT_DETACH,
  MS_MOVE,
  O_DIRECTORY,
  O_RDONLY,
  SIGPIPE,
  exists,
  readText,
  type Syscalls,
} from "../../../syscalls/index.ts";
import { caught, initramfs } from "./fake-machines.ts";

/** The classic hand-over, in as few calls as it takes. */
function switchRoot(sys: Syscalls): void {
  const root = sys.open("/", O_RDONLY | O_DIRECTORY);
  sys.mount("/proc", "/sysroot/proc", "", MS_MOVE, "");
  for (const name of ["bin/sh", "bin/true"]) sys.unlinkat(root, name, 0);
  sys.unlinkat(root, "bin", AT_REMOVEDIR);
  sys.unlinkat(root, "init", 0);
  sys.chdir("/sysroot");
  sys.mount(".", "/", "", MS_MOVE, "");
  sys.chroot(".");
  sys.chdir("/");
  sys.closeRange(3, 0xffffffff, CLOSE_RANGE_CLOEXEC);
  sys.resetSignal(SIGPIPE);
  sys.execve("/sbin/init", ["init", "single"], ["TERM=linux"]);
}

/** The hand-over without emptying anything. */
function pivot({ sys }: FakeKernel): void {
  sys.chdir("/sysroot");
  sys.pivotRoot(".", ".");
  sys.umount(".", MNT_DETACH);
  sys.chdir("/");
}

describe("a switch of roots", () => {
  test("ends in the new root, the old one behind it", () => {
    const kernel = fakeKernel(initramfs);
    expect(() => switchRoot(kernel.sys)).toThrow(Executed);
    const mounts = kernel.mounts().map(({ path, type }) => [path, type]);
    expect(mounts).toEqual([
      ["/proc", "proc"],
      ["/", "ext4"],
    ]);
    expect(kernel.files()).toEqual(["/dev", "/dev/console", "/proc", "/sysroot"]);
    const mountinfo = readText(kernel.sys, "/proc/self/mountinfo").trimEnd().split("\n");
    expect(mountinfo.map((line) => line.split(" ")[4])).toEqual(["/proc", "/"]);
    expect([...kernel.machine.fds.keys()]).toEqual([0, 1, 2]);
    expect(kernel.sys.disposition(SIGPIPE)).toBe("default");
  });

  test("tells the program that runs then", () => {
    const kernel = fakeKernel(initramfs);
    expect(caught(() => switchRoot(kernel.sys))).toMatchObject({
      path: "/sbin/init",
      argv: ["init", "single"],
      env: ["TERM=linux"],
    });
  });

  test("stops at each call that fails, and nothing runs", () => {
    const steps = (() => {
      const kernel = fakeKernel(initramfs);
      caught(() => switchRoot(kernel.sys));
      return kernel.calls.length;
    })();
    expect(steps).toBe(13);
    for (let step = 1; step <= steps; step++) {
      const kernel = fakeKernel(initramfs);
      expect(caught(() => switchRoot(failing(kernel.sys, step, "EIO")))).toMatchObject({ code: "EIO" });
      expect(kernel.calls.length).toBe(step - 1);
    }
  });

  test("by pivot_root is refused on the rootfs, and works where it lies on another mount", () => {
    expect(() => pivot(fakeKernel(initramfs))).toThrow("pivot_root .: not valid here (EINVAL)");
    const kernel = fakeKernel({ ...initramfs, rootMovable: true });
    pivot(kernel);
    expect(kernel.mounts().map(({ path, type }) => [path, type])).toEqual([["/", "ext4"]]);
    expect(exists(kernel.sys, "/etc/fstab")).toBe(true);
    // Its files are gone from sight but not deleted: nobody emptied it.
    expect(kernel.files()).toContain("/init");
  });
});
