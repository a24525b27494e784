/** Terminals and other devices, ioctl(2). */

import { TCGETS, TCSETS } from "../constants.ts";
import { errnoNumber, fail } from "../errno.ts";
import { SIZE, holdsRequest } from "../struct.ts";
import type { Syscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";

export function devices(k: Kernel) {
  return {
    getTermios(fd) {
      const termios = new Uint8Array(SIZE.termios);
      k.call("ioctl", "ioctl", undefined, fd, TCGETS, termios);
      return termios;
    },
    setTermios(fd, termios) {
      if (termios.byteLength < SIZE.termios) fail("ioctl", errnoNumber("EINVAL"));
      k.call("ioctl", "ioctl", undefined, fd, TCSETS, termios);
    },
    ioctl(fd, request, argument) {
      if (!holdsRequest(request, argument)) fail("ioctl", errnoNumber("EINVAL"));
      return k.call("ioctl", "ioctl", undefined, fd, request, argument);
    },
  } satisfies Partial<Syscalls>;
}
