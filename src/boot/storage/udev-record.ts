/** Records of udev, made without udev: what its rules may read of a device when they first meet it. */

import { type Syscalls, mkdirs, readTextIfThere, writeFile } from "../../../syscalls/index.ts";

/**
 * Writes udev's record of a block device, /run/udev/data/bMAJOR:MINOR in the format that systemd's sd-device.c reads;
 * one that udevd itself has written stays. Throws SysError.
 * @param rdev "major:minor"
 * @param record lines like "E:NAME=value\n"
 */
export function makeRecord(sys: Syscalls, rdev: string, record: string): void {
  const path = `/run/udev/data/b${rdev}`;
  const present = readTextIfThere(sys, path);
  // Only a udevd says when it saw the device, and it knows more of it.
  if (present === record || present?.split("\n").some((line) => line.startsWith("I:")) === true) return;
  mkdirs(sys, "/run/udev/data");
  writeFile(sys, path, record);
  sys.chmod(path, KEPT);
}

/**
 * With the sticky bit, udev's own db_persist, the record outlives `udevadm info --cleanup-db`, by which Debian's
 * /etc/init.d/udev and dracut forget what the udevd of an initramfs knew (src/udev/udevadm-info.c).
 */
const KEPT = 0o1644;
