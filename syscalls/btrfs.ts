/** What the kernel knows of btrfs devices, asked on any Syscalls: the ioctls of /dev/btrfs-control. */

import { toCString } from "../src/lib/bytes.ts";
import { BTRFS_IOC_DEVICES_READY, BTRFS_IOC_SCAN_DEV, O_CLOEXEC, O_RDWR } from "./constants.ts";
import { errnoNumber, fail } from "./errno.ts";
import type { Syscalls } from "./types.ts";

/** The device that takes questions about btrfs; it is there when the kernel has the filesystem. */
const CONTROL = "/dev/btrfs-control";

/**
 * Tells the kernel that this device is one of a btrfs.
 * @throws SysError EINVAL when it is none
 */
export function scanBtrfsDevice(sys: Syscalls, node: string): void {
  ask(sys, BTRFS_IOC_SCAN_DEV, node);
}

/**
 * True when the kernel knows all devices of the btrfs that this one belongs to.
 * @throws SysError EINVAL when it is none
 */
export function hasAllBtrfsDevices(sys: Syscalls, node: string): boolean {
  return ask(sys, BTRFS_IOC_DEVICES_READY, node) === 0;
}

/** sizeof(struct btrfs_ioctl_vol_args) of linux/btrfs.h: a descriptor of 64 bits, then a path with its NUL. */
const VOL_ARGS_BYTES = 4096;
const PATH_AT = 8;

function ask(sys: Syscalls, request: number, node: string): number {
  const path = toCString(node);
  if (path.length > VOL_ARGS_BYTES - PATH_AT) fail("ioctl", errnoNumber("ENAMETOOLONG"), node);
  const argument = new Uint8Array(VOL_ARGS_BYTES);
  argument.set(path, PATH_AT);
  const fd = sys.open(CONTROL, O_RDWR | O_CLOEXEC);
  try {
    return sys.ioctl(fd, request, argument);
  } finally {
    sys.close(fd);
  }
}
