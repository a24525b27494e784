/** Carries out what an install has planned, so that a machine boots from the directory whatever happens meanwhile. */

import type { Syscalls } from "../../syscalls/types.ts";
import type { CpioEntry } from "../image/cpio.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import { type Directory, hasCode } from "./directory.ts";
import { MANIFEST, type Manifest, bothManifests, formatManifest } from "./manifest.ts";
import type { InstallPlan } from "./plan.ts";

/** What this user may not make. */
export interface LeftOut {
  readonly devices: readonly string[];
}

/**
 * Writes all files beside their places first, and brings them to the disk: when that fails nothing has changed. Then
 * each takes its place by rename(2), and what is not wanted any more goes. The list of what is ours holds the old and
 * the new in between, so that the next run can mend what a killed one has left.
 * @throws UserError
 */
export function applyInstall(
  directory: Directory,
  plan: InstallPlan,
  installed: Manifest,
  sys: Syscalls,
): LeftOut {
  const nodes = plan.write.filter(({ type }) => type !== "directory");
  const devices: string[] = [];
  const prepared: CpioEntry[] = [];
  const made: CpioEntry[] = [];
  const put = (manifest: Manifest): void => {
    directory.prepare(manifestEntry(manifest));
    sys.sync();
    directory.put(MANIFEST);
  };
  try {
    for (const entry of plan.write)
      if (entry.type === "directory") {
        perform(directory, entry.path, () => directory.makeDirectory(entry.path, entry.mode));
        made.push(entry);
      }
    for (const entry of nodes) {
      prepared.push(entry);
      if (!perform(directory, entry.path, () => directory.prepare(entry))) devices.push(entry.path);
    }
    perform(directory, MANIFEST, () => put(bothManifests(installed, plan.manifest)));
  } catch (error) {
    for (const { path } of [...prepared, { path: MANIFEST }]) attempt(() => directory.drop(path));
    for (const { path } of made.toReversed()) attempt(() => directory.remove(path, true));
    throw error;
  }
  for (const { path } of nodes)
    if (!devices.includes(path)) perform(directory, path, () => directory.put(path));
  for (const path of plan.remove)
    perform(directory, path, () => directory.remove(path, directory.look(path) === "directory"));
  const manifest = new Map([...plan.manifest].filter(([path]) => !devices.includes(path)));
  perform(directory, MANIFEST, () => put(manifest));
  sys.sync();
  return { devices };
}

function manifestEntry(manifest: Manifest): CpioEntry {
  return { path: MANIFEST, type: "file", mode: 0o644, data: formatManifest(manifest) };
}

function perform<T>(directory: Directory, path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const place = text(directory.outside(path));
    throw new UserError(`${place} can't be written: ${describe(error)}.`, adviceFor(error));
  }
}

function adviceFor(error: unknown): string {
  if (hasCode(error, "ENOSPC", "EDQUOT"))
    return "Nothing was replaced. New files need room beside the old ones: make some, or leave out drivers and tools.";
  if (hasCode(error, "EROFS")) return "Mount the boot partition read-write.";
  if (hasCode(error, "EACCES")) return "Run this as root, or as the owner of the directory.";
  if (hasCode(error, "EPERM", "EOPNOTSUPP"))
    return "The filesystem must be one that holds symlinks and modes, such as ext4.";
  return "Run it again when that is mended: it takes up what was left.";
}

function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // The first error is the one to tell.
  }
}
