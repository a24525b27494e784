/** The device mapper, asked on any Syscalls: ioctls of /dev/mapper/control (linux/dm-ioctl.h). */

import { DM_DEV_REMOVE, O_CLOEXEC, O_RDWR } from "./constants.ts";
import { errnoNumber, fail } from "./errno.ts";
import { SIZE, packDevice } from "./struct.ts";
import type { Syscalls } from "./types.ts";

const CONTROL = "/dev/mapper/control";

/**
 * Removes the mapping whose block device is `rdev` ("major:minor"), without a word to udev. The kernel forgets the
 * key of an encrypted one with it.
 * @throws SysError EBUSY while somebody uses it
 */
export async function removeMapping(sys: Syscalls, rdev: string): Promise<void> {
  const argument = packRequest(packDevice(rdev) ?? fail("ioctl", errnoNumber("EINVAL"), rdev));
  const fd = sys.open(CONTROL, O_RDWR | O_CLOEXEC);
  try {
    await sys.slow.ioctl(fd, DM_DEV_REMOVE, argument);
  } finally {
    sys.close(fd);
  }
}

// struct dm_ioctl: the version that the caller was written for, its own size, and far behind the device. A kernel takes
// every minor version that is not newer than its own.
function packRequest(device: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE.dm_ioctl));
  view.setUint32(0, 4, true);
  view.setUint32(12, SIZE.dm_ioctl, true);
  view.setBigUint64(40, BigInt(device), true);
  return new Uint8Array(view.buffer);
}
