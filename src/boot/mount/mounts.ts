/** The kernel's own filesystems that the early userspace needs. */

import {
  AT_FDCWD,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_STRICTATIME,
  type Syscalls,
  isErrno,
  mkdirs,
} from "../../../syscalls/index.ts";
import { UserError, describe } from "../../lib/errors.ts";

interface BaseMount {
  readonly type: string;
  readonly target: string;
  readonly flags: number;
  readonly data: string;
  readonly need: string;
}

/**
 * In the order they are mounted. /dev is what the kernel's own CONFIG_DEVTMPFS_MOUNT makes it. /run is nosuid and nodev but not noexec: an exitrd is executed from
 * there (systemd's initrd interface). The entry stub has mounted /proc and /dev already, as the
 * runtime needs them.
 */
export const baseMounts: readonly BaseMount[] = [
  {
    type: "proc",
    target: "/proc",
    flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
    data: "",
    need: "CONFIG_PROC_FS",
  },
  { type: "sysfs", target: "/sys", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC, data: "", need: "CONFIG_SYSFS" },
  { type: "devtmpfs", target: "/dev", flags: 0, data: "mode=0755", need: "CONFIG_DEVTMPFS" },
  {
    type: "tmpfs",
    target: "/run",
    flags: MS_NOSUID | MS_NODEV | MS_STRICTATIME,
    data: "mode=0755",
    need: "CONFIG_TMPFS",
  },
];

/**
 * Mounts what is not mounted yet.
 * @throws UserError when the kernel can't: nothing works without them
 */
export function mountBase(sys: Syscalls): void {
  for (const mount of baseMounts) {
    try {
      mkdirs(sys, mount.target);
      if (!isMountPoint(sys, mount.target))
        sys.mount(mount.type, mount.target, mount.type, mount.flags, mount.data);
    } catch (error) {
      // EBUSY: the same filesystem is there already.
      if (isErrno(error, "EBUSY")) continue;
      throw new UserError(
        `${mount.target} can't be mounted: ${describe(error)}.`,
        `The kernel needs ${mount.need}.`,
      );
    }
  }
}

/** True when the path exists and another filesystem than that of `/` stands there. */
export function isMountPoint(sys: Syscalls, path: string): boolean {
  try {
    return sys.stat(AT_FDCWD, path).dev !== sys.stat(AT_FDCWD, "/").dev;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
