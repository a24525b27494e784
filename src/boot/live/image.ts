/** What an image of a root says of itself, and names for what is made of it: no system call is made here. */

import { View, text } from "../../lib/bytes.ts";

/** How much of its beginning `measureImage` wants, in bytes. */
export const HEAD_BYTES = 2048;

export interface Measured {
  readonly type: "squashfs" | "erofs";
  readonly size_bytes: number;
}

/**
 * The length that the superblock of a squashfs (fs/squashfs/squashfs_fs.h) or an erofs (fs/erofs/erofs_fs.h) gives;
 * undefined when it is neither.
 */
export function measureImage(head: Uint8Array): Measured | undefined {
  const view = new View(head);
  if (head.length >= 96 && view.has(0, "hsqs")) return { type: "squashfs", size_bytes: Number(view.u64(40)) };
  if (head.length < EROFS_AT + 128 || view.u32(EROFS_AT) !== EROFS_MAGIC) return undefined;
  const blocks = view.u32(EROFS_AT + 36);
  return { type: "erofs", size_bytes: blocks * 2 ** view.u8(EROFS_AT + 12) };
}

const EROFS_AT = 1024;
const EROFS_MAGIC = 0xe0f5e1e2;

/** A sentence when the image is longer than what holds it. */
export function describeCut(
  name: string,
  measured: Measured | undefined,
  held_bytes: number,
): string | undefined {
  if (measured === undefined || measured.size_bytes <= held_bytes) return undefined;
  return (
    `${name} is cut short: the ${measured.type} says that it has ${measured.size_bytes} bytes, ` +
    `and only ${held_bytes} are there.`
  );
}

/**
 * The sentence for an image that is not there.
 * @param holds the names in the directory; undefined when there is no such directory
 * @param top the names on the device
 */
export function describeMissing(
  device: string,
  directory: string,
  image: string,
  holds: readonly string[] | undefined,
  top: readonly string[],
): string {
  const place = directory === "" ? image : `${directory}/${image}`;
  const found =
    holds === undefined
      ? `it has no directory ${text(directory)}, but ${names(top)}`
      : `${directory === "" ? "it" : text(directory)} holds ${names(holds)}`;
  return `${device} has no image ${text(place)}: ${found}.`;
}

/** How many names of a directory are told. */
const TOLD = 20;

function names(all: readonly string[]): string {
  if (all.length === 0) return "nothing";
  const told = all.slice(0, TOLD).map(text).join(", ");
  return all.length > TOLD ? `${told} and ${all.length - TOLD} more` : told;
}

/** A length as people read it. */
export function mebibytes(size_bytes: number): string {
  return `${Math.ceil(size_bytes / 2 ** 20)} MiB`;
}
