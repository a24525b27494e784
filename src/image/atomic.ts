/** Replacing a file: by a whole new one, or not at all. */

import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { fromBytes, text } from "../lib/bytes.ts";
import { describe, UserError } from "../lib/errors.ts";
import { hostPath } from "./root-tree.ts";

/**
 * Writes a new file beside `named` by `write`, brings it to the disk, and gives it the name `named`, readable by
 * its owner alone. When anything fails, the power included, the file that was there stays what it was. What
 * an earlier run left beside it, because it was killed, is deleted. Of a symlink the file is replaced that it leads to.
 * `noun` is for the sentence.
 * @throws UserError, also where something is that is no file: a device would be gone for good
 */
export async function replaceFile(
  named: string,
  noun: string,
  write: (fd: number) => void | Promise<void>,
  mode = 0o600,
): Promise<void> {
  const path = placeFor(named, noun);
  const temporary = `${path}${MARK}${process.pid}`;
  try {
    removeLeftOvers(path);
    const fd = openSync(hostPath(temporary), "wx", mode);
    try {
      await write(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(hostPath(temporary), hostPath(path));
    syncDirectory(path);
  } catch (error) {
    rmSync(hostPath(temporary), { force: true });
    if (error instanceof UserError) throw error;
    throw new UserError(`The ${noun} ${text(path)} can't be written: ${describe(error)}.`);
  }
}

const MARK = ".new-";

// Where a file of this name is, or is to be.
function placeFor(named: string, noun: string): string {
  const refuse = (why: string, advice: string): never => {
    throw new UserError(`The ${noun} ${text(named)} can't be written: ${why}.`, advice);
  };
  const directory = directoryOf(named);
  const above = statSync(hostPath(directory), { throwIfNoEntry: false });
  if (!above?.isDirectory()) return refuse(`there is no directory ${text(directory)}`, "Make it first.");
  const isLink = lstatSync(hostPath(named), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const there = statSync(hostPath(named), { throwIfNoEntry: false });
  if (isLink && !there)
    return refuse("it is a symlink that leads nowhere", "Delete it, or name another file.");
  if (there?.isDirectory()) return refuse("it is a directory", "Name a file in it.");
  if (there && !there.isFile())
    return refuse("it is no file but a device, a pipe or a socket", "Name a file.");
  return isLink ? fromBytes(realpathSync(hostPath(named), { encoding: "buffer" })) : named;
}

// A name ends with the number of the process that writes it.
function removeLeftOvers(path: string): void {
  const slash = path.lastIndexOf("/");
  const prefix = `${path.slice(slash + 1)}${MARK}`;
  for (const bytes of readdirSync(hostPath(directoryOf(path)), { encoding: "buffer" })) {
    const name = fromBytes(bytes);
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (/^\d+$/.test(pid) && !isRunning(Number(pid)))
      rmSync(hostPath(path.slice(0, slash + 1) + name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

// The rename is on the disk only once its directory is. Shares of other machines (cifs, vboxsf) have no such thing.
function syncDirectory(path: string): void {
  const fd = openSync(hostPath(directoryOf(path)), "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
  } finally {
    closeSync(fd);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) || ".";
}
