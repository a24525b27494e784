/** Writing the description that gen_init_cpio reads: the list, and the contents beside it. */

import { mkdirSync, readdirSync, readlinkSync, rmSync, utimesSync, writeSync } from "node:fs";
import { fromBytes, toBytes } from "../lib/bytes.ts";
import { replaceFile } from "./atomic.ts";
import { readData, type CpioEntry } from "./cpio.ts";
import { initramfsList } from "./gen-init-cpio.ts";
import { hostPath } from "./root-tree.ts";

/**
 * Writes the list of these entries to `path`, a byte string, and what it needs into the folder `path`.files. An
 * older list stays whole and usable until the new one is. Contents get the time of their entry, for builds that
 * shall be reproducible; they and the list are readable by their owner alone, as they may hold keys.
 * @throws UserError
 */
export async function writeInitramfsList(path: string, entries: readonly CpioEntry[]): Promise<void> {
  const workingDirectory = fromBytes(readlinkSync("/proc/self/cwd", { encoding: "buffer" }));
  const absolute = path.startsWith("/") ? path : `${workingDirectory}/${path}`;
  const folder = `${absolute}.files`;
  const list = initramfsList(entries, { folder, workingDirectory });
  if (list.contents.size > 0) mkdirSync(hostPath(folder), { recursive: true, mode: 0o700 });
  for (const [name, { path: inside, data, mtime = 0 }] of list.contents) {
    const to = `${folder}/${name}`;
    await replaceFile(to, "file", (fd) => writeAll(fd, readData(inside, data)));
    utimesSync(hostPath(to), mtime, mtime);
  }
  await replaceFile(path, "list", (fd) => writeAll(fd, [toBytes(list.text)]));
  removeOthers(folder, new Set(list.contents.keys()));
}

function writeAll(fd: number, chunks: Iterable<Uint8Array>): void {
  for (const chunk of chunks) for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
}

// What older lists had there.
function removeOthers(folder: string, wanted: ReadonlySet<string>): void {
  if (wanted.size === 0) return;
  for (const bytes of readdirSync(hostPath(folder), { encoding: "buffer" })) {
    const name = fromBytes(bytes);
    if (/^[0-9a-f]{16}-/.test(name) && !wanted.has(name)) rmSync(hostPath(`${folder}/${name}`));
  }
}
