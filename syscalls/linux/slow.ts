/** The calls that may block for long, without blocking the program. */

import { View } from "../../src/lib/bytes.ts";
import { AT_FDCWD, P_ALL, WEXITED, WNOWAIT } from "../constants.ts";
import { errnoNumber, fail } from "../errno.ts";
import { SIZE, holdsRequest, packPollfds, readPolled, readSiginfo } from "../struct.ts";
import type { SlowSyscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";
import { Reception } from "./netlink.ts";

/** poll(2)'s timeout. */
const FOR_EVER = -1;

/** Each call has buffers of its own: several may be under way. */
export function slow(k: Kernel): SlowSyscalls {
  return {
    async finitModule(fd, parameters, flags) {
      const words = k.ownString("finit_module", undefined, parameters);
      await k.callSlow("finit_module", "finit_module", undefined, fd, words, flags);
    },
    async initModule(image, parameters) {
      const words = k.ownString("init_module", undefined, parameters);
      await k.callSlow("init_module", "init_module", undefined, image, image.byteLength, words);
    },
    async mount(source, target, type, flags, data) {
      const own = (string: string) => k.ownString("mount", target, string);
      await k.callSlow("mount", "mount", target, own(source), own(target), own(type), flags, own(data));
    },
    open: async (path, flags, mode = 0) =>
      await k.callSlow("openat", "open", path, AT_FDCWD, k.ownString("open", path, path), flags, mode),
    pread: async (fd, buffer, offset) =>
      await k.callSlow("pread64", "pread", undefined, fd, buffer, buffer.byteLength, offset),
    async recv(fd) {
      const reception = new Reception();
      return reception.datagram(await k.callSlow("recvfrom", "recv", undefined, ...reception.begin(fd, 0)));
    },
    async poll(fds) {
      const records = packPollfds(fds);
      await k.callSlow("poll", "poll", undefined, records, fds.length, FOR_EVER);
      return readPolled(new View(records));
    },
    async umount(target, flags) {
      await k.callSlow("umount2", "umount", target, k.ownString("umount", target, target), flags);
    },
    async swapoff(path) {
      await k.callSlow("swapoff", "swapoff", path, k.ownString("swapoff", path, path));
    },
    async sync() {
      await k.callSlow("sync", "sync", undefined);
    },
    async ioctl(fd, request, argument) {
      if (!holdsRequest(request, argument)) fail("ioctl", errnoNumber("EINVAL"));
      return await k.callSlow("ioctl", "ioctl", undefined, fd, request, argument);
    },
    async peekChild() {
      const info = new Uint8Array(SIZE.siginfo);
      await k.callSlow("waitid", "waitid", undefined, P_ALL, 0, info, WEXITED | WNOWAIT, null);
      return readSiginfo(new View(info)) ?? fail("waitid", errnoNumber("ECHILD"));
    },
  };
}
