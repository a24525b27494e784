/** squashfs 4. Layout: kernel, fs/squashfs/squashfs_fs.h. It has neither UUID nor label nor checksum. */

import type { Format } from "./format.ts";

export const squashfs: Format = {
  name: "squashfs",
  windows: [{ offset: 0, length: 96 }],
  parse(at) {
    const view = at(0, 96);
    if (view === undefined || !view.has(0, "hsqs")) return undefined;
    const [major, minor] = [view.u16(28), view.u16(30)];
    if (major < 4) return undefined;
    return { type: "squashfs", usage: "filesystem", version: `${major}.${minor}` };
  },
};
