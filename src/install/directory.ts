/** The directory that rdinit installs into: looked at and changed, without ever following a symlink in it. */

import * as fs from "node:fs";
import { isErrno } from "../../syscalls/error.ts";
import type { Syscalls } from "../../syscalls/types.ts";
import { readData, type CpioEntry } from "../image/cpio.ts";
import { hostPath } from "../image/root-tree.ts";
import { fromBytes } from "../lib/bytes.ts";
import { fingerprint } from "./manifest.ts";

/** All paths are byte strings below it, without a slash in front. */
export class Directory {
  private readonly base: string;
  private readonly sys: Syscalls;

  constructor(path: string, sys: Syscalls) {
    this.base = path.replace(/\/+$/, "");
    this.sys = sys;
  }

  /** The path on this machine. */
  outside(path: string): string {
    return `${this.base}/${path}`;
  }

  /** The fingerprint of what is there; undefined when nothing is, or when a symlink stands in front of it. */
  look(path: string): string | undefined {
    const names = path.split("/");
    for (let depth = 1; depth < names.length; depth++)
      if (!this.stat(names.slice(0, depth).join("/"))?.isDirectory()) return undefined;
    const stats = this.stat(path);
    if (stats === undefined) return undefined;
    const entry = this.entryOf(path, stats);
    return entry === undefined ? "something else" : fingerprint(entry);
  }

  /** The bytes of a file; undefined when there is none. */
  read(path: string): Uint8Array | undefined {
    return this.look(path)?.startsWith("file ") ? fs.readFileSync(this.place(path)) : undefined;
  }

  /** Makes what an entry stands for, under the name that `prepared` gives it. False when this user may not make it. */
  prepare(entry: CpioEntry): boolean {
    const place = this.place(this.prepared(entry.path));
    fs.rmSync(place, { force: true });
    switch (entry.type) {
      case "file": {
        const fd = fs.openSync(place, "wx", 0o600);
        try {
          for (const chunk of readData(entry.path, entry.data))
            for (let done = 0; done < chunk.length;) done += fs.writeSync(fd, chunk, done);
          fs.fchmodSync(fd, entry.mode);
        } finally {
          fs.closeSync(fd);
        }
        return true;
      }
      case "symlink":
        fs.symlinkSync(hostPath(entry.target), place);
        return true;
      case "block":
      case "char":
        return this.makeNode(fromBytes(place), entry.type, entry.mode, entry.rdev);
      default:
        throw new Error(`nothing in an install is a ${entry.type}`);
    }
  }

  /** Gives what was prepared for a path its name, in one step. */
  put(path: string): void {
    fs.renameSync(this.place(this.prepared(path)), this.place(path));
  }

  /** Takes away what was prepared for a path, if anything was. */
  drop(path: string): void {
    fs.rmSync(this.place(this.prepared(path)), { force: true });
  }

  /** Makes a directory that is not there. */
  makeDirectory(path: string, mode: number): void {
    fs.mkdirSync(this.place(path));
    fs.chmodSync(this.place(path), mode);
  }

  /** Deletes a file, or a directory when nothing is in it. */
  remove(path: string, isDirectory: boolean): void {
    if (!isDirectory) return fs.unlinkSync(this.place(path));
    try {
      fs.rmdirSync(this.place(path));
    } catch (error) {
      if (!hasCode(error, "ENOTEMPTY", "EEXIST", "EBUSY")) throw error;
    }
  }

  // Beside it, and the same each time: what was left by a run that was killed is replaced by the next.
  private prepared(path: string): string {
    const slash = path.lastIndexOf("/") + 1;
    return `${path.slice(0, slash)}.rdinit-new-${path.slice(slash)}`;
  }

  private place(path: string): Buffer {
    return hostPath(this.outside(path));
  }

  private stat(path: string): fs.Stats | undefined {
    return fs.lstatSync(this.place(path), { throwIfNoEntry: false });
  }

  private entryOf(path: string, stats: fs.Stats): CpioEntry | undefined {
    const mode = stats.mode & 0o7777;
    if (stats.isDirectory()) return { path, mode, type: "directory" };
    if (stats.isSymbolicLink()) {
      const target = fromBytes(fs.readlinkSync(this.place(path), { encoding: "buffer" }));
      return { path, mode, type: "symlink", target };
    }
    if (stats.isFile())
      return { path, mode, type: "file", data: { file: this.outside(path), size: stats.size } };
    const { rdev } = stats;
    if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined;
    // gnu_dev_major() and gnu_dev_minor() of the C library, for numbers below 2^32.
    const [major, minor] = [(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)];
    return { path, mode, type: stats.isBlockDevice() ? "block" : "char", rdev: `${major}:${minor}` };
  }

  private makeNode(place: string, type: "block" | "char", mode: number, rdev: string): boolean {
    try {
      this.sys.mknod(place, type, mode, rdev);
      fs.chmodSync(hostPath(place), mode);
      return true;
    } catch (error) {
      if (isErrno(error, "EPERM")) return false;
      throw error;
    }
  }
}

/** True for an error of node:fs with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
