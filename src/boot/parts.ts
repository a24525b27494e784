/**
 * The parts of process 1 that most boots do without. Each is a chunk of its own in /init (Makefile, --splitting): what a
 * boot does not load costs it neither time nor memory. A chunk is a piece of the running program, so loading one reads no
 * file; all the same nothing of the hand-over is among them, and nothing that tells of a failure.
 */

import { UserError, describe } from "../lib/errors.ts";

/** Loads a part; the second time it is there. @throws UserError when it can't be loaded */
export const parts = {
  /** Arrays, volumes, encryption. */
  layers: () => load("arrays, volumes and encryption", import("./storage/layers.ts")),
  network: () => load("the network", import("./network/network.ts")),
  /** A root that is elsewhere. */
  elsewhere: () => load("roots that are elsewhere", import("./netroot/acting.ts")),
  remote: () => load("remote unlock", import("./remote/remote.ts")),
  /** Live systems, and overlays. */
  live: () => load("live systems and overlays", import("./live/index.ts")),
} as const;

/**
 * What `loading` gives.
 * @param what it is for, as it fits behind "what it takes for"
 * @throws UserError when it gives nothing
 */
export async function load<Part>(what: string, loading: Promise<Part>): Promise<Part> {
  try {
    return await loading;
  } catch (error) {
    throw new UserError(
      `What rdinit has for ${what} can't be loaded: ${describe(error)}.`,
      "The image may be damaged, or the machine short of memory: build the image again, or give the machine more memory.",
    );
  }
}
