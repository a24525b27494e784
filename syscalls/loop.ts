/** Loop devices, on any Syscalls: a file as a block device (loop(4), linux/loop.h). */

import { toBytes } from "../src/lib/bytes.ts";
import {
  LOOP_CLR_FD,
  LOOP_CONFIGURE,
  LOOP_CTL_GET_FREE,
  LOOP_SET_FD,
  LOOP_SET_STATUS64,
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_READ_ONLY,
  O_CLOEXEC,
  O_RDONLY,
  O_RDWR,
} from "./constants.ts";
import { isErrno } from "./error.ts";
import type { Fd, Syscalls } from "./types.ts";

/** A loop device that shows a file: /dev/loopNUMBER. */
export interface Loop {
  readonly number: number;
  /** The open device. It lets go of its file when this, and all else that uses it, is closed. */
  readonly fd: Fd;
}

/** The device that knows which loop device is free; it is there when the kernel has them. */
const CONTROL = "/dev/loop-control";

/**
 * Shows an open file by a free loop device.
 * @param name the file's, for those who list loop devices
 * @throws SysError ENOENT without loop devices, EBUSY when others take every free one before us
 */
export function attachLoop(
  sys: Syscalls,
  file: Fd,
  { readOnly, name }: { readonly readOnly: boolean; readonly name: string },
): Loop {
  const control = sys.open(CONTROL, O_RDWR | O_CLOEXEC);
  try {
    for (let left = TRIES; ; left--) {
      const number = sys.ioctl(control, LOOP_CTL_GET_FREE, 0);
      const fd = sys.open(`/dev/loop${number}`, (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
      try {
        configure(sys, fd, file, readOnly, name);
        return { number, fd };
      } catch (error) {
        sys.close(fd);
        // Another program took it after it was said to be free.
        if (left === 0 || !isErrno(error, "EBUSY")) throw error;
      }
    }
  } finally {
    sys.close(control);
  }
}

const TRIES = 16;

function configure(sys: Syscalls, fd: Fd, file: Fd, readOnly: boolean, name: string): void {
  const info = packInfo(LO_FLAGS_AUTOCLEAR | (readOnly ? LO_FLAGS_READ_ONLY : 0), name);
  try {
    sys.ioctl(fd, LOOP_CONFIGURE, packConfig(file, info));
  } catch (error) {
    // Kernels before 5.8 do not know it, and take two steps.
    if (!isErrno(error, "EINVAL", "ENOTTY")) throw error;
    sys.ioctl(fd, LOOP_SET_FD, file);
    try {
      sys.ioctl(fd, LOOP_SET_STATUS64, info);
    } catch (refusal) {
      sys.ioctl(fd, LOOP_CLR_FD, 0);
      throw refusal;
    }
  }
}

/** struct loop_info64, of which the flags and the name are set. */
const INFO_BYTES = 232;
const FLAGS_AT = 52;
const NAME_AT = 56;
/** LO_NAME_SIZE, of which the last byte ends the name. */
const NAME_BYTES = 64;
/** struct loop_config: a descriptor, a block size, the info, eight numbers that are reserved. */
const CONFIG_BYTES = 304;
const INFO_AT = 8;

function packInfo(flags: number, name: string): Uint8Array {
  const info = new Uint8Array(INFO_BYTES);
  new DataView(info.buffer).setUint32(FLAGS_AT, flags, true);
  info.set(toBytes(name).subarray(0, NAME_BYTES - 1), NAME_AT);
  return info;
}

function packConfig(file: Fd, info: Uint8Array): Uint8Array {
  const config = new Uint8Array(CONFIG_BYTES);
  new DataView(config.buffer).setUint32(0, file, true);
  config.set(info, INFO_AT);
  return config;
}
