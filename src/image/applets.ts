/** The programs in a busybox, read out of its file: no program of another root is run to ask it. */

import { fromBytes } from "../lib/bytes.ts";

/**
 * The names of a busybox's applets, sorted as they are in there; none when `file` holds no such table. In the program
 * they stand in a row, each with a NUL behind it (applet_names[] of its libbb/appletlib.c), and the first two are
 * always `[` and `[[`.
 */
export function readApplets(file: Uint8Array): string[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const start = bytes.indexOf(FIRST);
  if (start < 0) return [];
  const names: string[] = [];
  for (let at = start; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const name = end < 0 ? "" : fromBytes(bytes.subarray(at, end));
    // The table is sorted, so that what is behind it ends it.
    if (!NAME.test(name) || (names.at(-1) ?? "") >= name) break;
    names.push(name);
    at = end + 1;
  }
  return names;
}

const FIRST = Buffer.from("[\0[[\0a", "latin1");
const NAME = /^[a-z0-9[][\w.+-]{0,30}\[?$|^\[\[?$/;
