/** A fake machine for several tests, and what they have in common. */

import { type FakeOptions, device, program, symlink } from "../../../syscalls/fake.ts";
import { SIGPIPE } from "../../../syscalls/index.ts";

/** An initramfs with a real root mounted at /sysroot. */
export const initramfs: FakeOptions = {
  rootfs: {
    init: program(),
    bin: { sh: program(), true: symlink("sh") },
    dev: { console: device("char", "5:1") },
    proc: {},
    sysroot: {},
  },
  mounts: [
    { at: "/proc", type: "proc" },
    { at: "/sysroot", type: "ext4", dev: "8:1" },
  ],
  disks: { "8:1": { type: "ext4", tree: { sbin: { init: program() }, proc: {}, etc: { fstab: "" } } } },
  ignoredSignals: [SIGPIPE],
};

/** What a function throws. */
export function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
