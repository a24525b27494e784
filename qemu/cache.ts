/** What is kept in the cache: records of what was made, and files and folders for as long as somebody uses them. */

import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDir, fingerprint, withLock } from "./host.ts";

/** Another source tree, or an older state of this one, may still want what lies beside: for two days. */
export const unused_ms = 2 * 86_400_000;

/**
 * The folder `NAME-IDENTITY` of the cache, made by `make` when it is not there; nothing is left of it when that
 * throws. Folders of the same name and another identity that nobody asked for in two days are dropped then.
 */
export async function keptFolder(
  name: string,
  identity: string,
  make: (half: string) => Promise<void>,
): Promise<string> {
  const dir = join(cacheDir(), `${name}-${identity}`);
  if (isThere(dir)) return dir;
  return withLock(name, async () => {
    if (isThere(dir)) return dir;
    dropUnused(name);
    const half = `${dir}.part`;
    try {
      rmSync(half, { recursive: true, force: true });
      mkdirSync(half);
      await make(half);
      renameSync(half, dir);
    } finally {
      rmSync(half, { recursive: true, force: true });
    }
    return dir;
  });
}

/** The file `name` of the cache that was made from exactly this, in a folder of its own; as keptFolder(). */
export async function keptFile(
  name: string,
  from: string,
  make: (half: string) => Promise<void>,
): Promise<string> {
  return join(await keptFolder(name, fingerprint(from), (half) => make(join(half, name))), name);
}

/** The JSON of `file`; undefined when there is none. */
export function readRecord<T>(file: string): T | undefined {
  // Not by Bun.file: one that was asked for before it was there stays empty for whoever asked.
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}

/** Writes the JSON of `record`, whole at once: others read it without a lock. */
export function writeRecord(file: string, record: unknown): void {
  const half = `${file}.${process.pid}`;
  writeFileSync(half, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(half, file);
}

/** Its time of change is that of its last use. */
function isThere(dir: string): boolean {
  if (!existsSync(dir)) return false;
  const now = new Date();
  utimesSync(dir, now, now);
  return true;
}

function dropUnused(name: string): void {
  for (const other of readdirSync(cacheDir())) {
    // Of the name "disks-lvm", not of "disks-lvm-thin".
    if (!other.startsWith(`${name}-`) || !/^[0-9a-f]{16}(\.part)?$/.test(other.slice(name.length + 1)))
      continue;
    const path = join(cacheDir(), other);
    if (Date.now() - statSync(path).mtimeMs > unused_ms) rmSync(path, { recursive: true, force: true });
  }
}
