/** What an install changes in a directory: decided before anything is written. */

import type { CpioEntry } from "../image/cpio.ts";
import { fingerprint, type Manifest } from "./manifest.ts";

/** What is at a path: its fingerprint. Undefined when nothing is, or something else stands where a directory should. */
export type Look = (path: string) => string | undefined;

export interface InstallPlan {
  /** To be made or replaced, in an order with parents first. */
  readonly write: readonly CpioEntry[];
  /** What was installed and is not wanted any more, deepest first. */
  readonly remove: readonly string[];
  /** Paths that are in the way: not ours, and something else. */
  readonly conflicts: readonly string[];
  /** Ours, but somebody has changed them since, and they stay so. */
  readonly changed: readonly string[];
  /** What is ours afterwards. */
  readonly manifest: Manifest;
}

/**
 * Plans an install of `entries`, parents first, over what is there and what `installed` says of it. What somebody else
 * has put there stays, and so does what somebody has changed; with `force` both are replaced, but never a directory.
 */
export function planInstall(
  entries: readonly CpioEntry[],
  installed: Manifest,
  look: Look,
  force: boolean,
): InstallPlan {
  const write: CpioEntry[] = [];
  const conflicts: string[] = [];
  const changed: string[] = [];
  const manifest = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const wanted = fingerprint(entry);
    const there = look(entry.path);
    const before = installed.get(entry.path);
    // A symlink in the place of a directory might lead out, and a directory may hold anything.
    const isReplaceable = there !== "directory" && wanted !== "directory";
    if (there === wanted) {
      // Who put it there first may go on to call it theirs.
      if (before !== undefined) manifest.set(entry.path, [wanted]);
    } else if (there === undefined || (isReplaceable && (force || before?.includes(there) === true))) {
      write.push(entry);
      manifest.set(entry.path, [wanted]);
    } else if (before !== undefined && isReplaceable) {
      changed.push(entry.path);
      manifest.set(entry.path, before);
    } else conflicts.push(entry.path);
  }
  const wanted = new Set(entries.map(({ path }) => path));
  const remove = [...installed]
    .filter(([path, before]) => !wanted.has(path) && before.includes(look(path) ?? ""))
    .map(([path]) => path)
    .sort()
    .toReversed();
  return { write, remove, conflicts, changed, manifest };
}
