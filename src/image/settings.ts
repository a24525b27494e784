/** What a person can ask of an image. */

import type { ImageCompression } from "./write.ts";

/** Which kernel modules go in. */
export const SELECTIONS = ["host", "generic", "drivers"] as const;

/** All strings are byte strings; lists are empty where nothing was said. */
export interface ImageSettings {
  /** The root tree that everything is taken from. */
  readonly root: string;
  /** The release; undefined chooses by itself. */
  readonly kernel: string | undefined;
  /** A modules directory on this machine, instead of the one in `root`. */
  readonly modules: string | undefined;
  readonly selection: (typeof SELECTIONS)[number];
  /** For the selection "drivers": names or aliases; none for a kernel that has all of them built in. */
  readonly drivers: readonly string[];
  /** The drivers of network interfaces, and what it takes to use them. */
  readonly network: boolean;
  /** An SSH server for remote unlock, which takes the network. */
  readonly ssh: boolean;
  /** Files of public keys, and of host keys, on this machine; none for the usual places. */
  readonly authorizedKeys: readonly string[];
  readonly hostKeys: readonly string[];
  /** The key files of crypttab, by which whoever reads the image can open the disks. */
  readonly keyFiles: boolean;
  readonly tools: readonly string[];
  /** FILE or FILE:PATH */
  readonly includes: readonly string[];
  /** For /init, as a kernel command line; "" when there are none. */
  readonly bootWords: string;
  readonly microcode: "host" | "all" | "none";
  /** A rescue shell, where there is a busybox for it. */
  readonly shell: boolean;
  /** What becomes /init; undefined chooses by itself. */
  readonly init: string | undefined;
  readonly compression: ImageCompression;
  readonly level: number | undefined;
}
