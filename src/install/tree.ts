/** What is put into a boot partition: the entries of an image, and what makes the partition its own rescue environment. */

import { type Image, buildImage } from "../image/build.ts";
import type { CpioEntry } from "../image/cpio.ts";
import type { ImageRequest } from "../image/build.ts";
import { RootTree } from "../image/root-tree.ts";
import { readApplets } from "../image/applets.ts";
import { rescuePart } from "./rescue.ts";

/** The entries of an install, parents first. Without a busybox it has no rescue environment. */
export function buildInstall(request: ImageRequest): Image {
  if (request.busybox === undefined) return buildImage(request);
  const busybox = new RootTree(request.root ?? "/").read(request.busybox);
  const rescue = rescuePart(readApplets(busybox ?? new Uint8Array(0)));
  const image = buildImage({ ...request, parts: [...(request.parts ?? []), rescue] });
  const there = new Set(image.entries.map(({ path }) => path));
  const more = DIRECTORIES.filter(({ path }) => !there.has(path));
  // The guard of an image wants its first entry first and its last entry last; in a directory there is no order.
  return { ...image, entries: [...more, ...image.entries] };
}

/** For whoever works in the rescue environment. */
const DIRECTORIES: readonly CpioEntry[] = [
  { path: "mnt", type: "directory", mode: 0o755 },
  { path: "root", type: "directory", mode: 0o700 },
  { path: "tmp", type: "directory", mode: 0o1777 },
];
