/** Kernel modules. */

import type { Syscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";

export function modules(k: Kernel) {
  return {
    finitModule(fd, parameters, flags) {
      k.call(
        "finit_module",
        "finit_module",
        undefined,
        fd,
        k.ownString("finit_module", undefined, parameters),
        flags,
      );
    },
    initModule(image, parameters) {
      const words = k.ownString("init_module", undefined, parameters);
      k.call("init_module", "init_module", undefined, image, image.byteLength, words);
    },
    deleteModule(name, flags) {
      k.call("delete_module", "delete_module", name, k.string("delete_module", name, name), flags);
    },
  } satisfies Partial<Syscalls>;
}
