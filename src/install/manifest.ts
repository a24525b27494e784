/**
 * What rdinit has put into a directory, so that it replaces and deletes nothing else there: /etc/rdinit/installed, a
 * JSON object with a fingerprint for each path.
 */

import { createHash } from "node:crypto";
import { readData, type CpioEntry } from "../image/cpio.ts";
import { fromBytes, toBytes } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";

/** Where it is, without a slash in front, as all paths here. */
export const MANIFEST = "etc/rdinit/installed";

/** What of ours is at a path, by fingerprint: two of them while an install goes on. Byte strings. */
export type Manifest = ReadonlyMap<string, readonly string[]>;

/** What an entry is, in words that are the same for the same thing: owners and times do not count. */
export function fingerprint(entry: CpioEntry): string {
  switch (entry.type) {
    case "file": {
      const hash = createHash("sha256");
      for (const chunk of readData(entry.path, entry.data)) hash.update(chunk);
      return `file ${entry.mode.toString(8)} ${hash.digest("hex")}`;
    }
    case "symlink":
      return `symlink ${entry.target}`;
    case "block":
    case "char":
      return `${entry.type} ${entry.rdev}`;
    default:
      return entry.type;
  }
}

/**
 * Reads a manifest; one that was left by nobody is empty.
 * @throws UserError for what is none: to go on would mean to take everything for somebody else's
 */
export function parseManifest(content: Uint8Array | undefined, place: string): Manifest {
  if (content === undefined) return new Map();
  try {
    const parsed: unknown = JSON.parse(fromBytes(content));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      const read = new Map<string, readonly string[]>();
      for (const [path, value] of Object.entries(parsed)) {
        const fingerprints: unknown[] = [value].flat();
        if (isPath(path) && fingerprints.every((one): one is string => typeof one === "string"))
          read.set(path, fingerprints);
      }
      if (read.size === Object.keys(parsed).length) return read;
    }
  } catch {
    // Told below.
  }
  throw new UserError(
    `${place}, the list of what rdinit has installed there, is damaged.`,
    "Delete it; then --force replaces what is in the way.",
  );
}

/** The bytes of a manifest: sorted, and so the same for the same install. */
export function formatManifest(manifest: Manifest): Uint8Array {
  const sorted = [...manifest].sort(([a], [b]) => (a < b ? -1 : 1));
  const values = sorted.map(([path, value]) => [path, value.length === 1 ? value[0] : value] as const);
  return toBytes(`${JSON.stringify(Object.fromEntries(values), undefined, 1)}\n`);
}

/** Both lists in one, for the time between them. */
export function bothManifests(before: Manifest, after: Manifest): Manifest {
  const both = new Map(before);
  for (const [path, value] of after) both.set(path, [...new Set([...(before.get(path) ?? []), ...value])]);
  return both;
}

// None that leads out of the directory.
function isPath(path: string): boolean {
  return path !== "" && path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}
