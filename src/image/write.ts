/** Writing an image to a file: compressed as asked for, and whole or not at all. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import { text } from "../lib/bytes.ts";
import { describe, UserError } from "../lib/errors.ts";
import { writeCpio, type CpioEntry } from "./cpio.ts";
import { hostPath } from "./root-tree.ts";

/** How an image can be compressed. Which of them a kernel reads is up to its CONFIG_RD_*. */
export type ImageCompression = "none" | "gzip" | "zstd" | "lz4" | "xz";

/** The compressions by name, each with its levels and the one that is taken when none is given: good, and quickly done. */
export const COMPRESSIONS: Readonly<
  Record<ImageCompression, { readonly least: number; readonly most: number; readonly usual: number }>
> = {
  none: { least: 0, most: 0, usual: 0 },
  gzip: { least: 1, most: 9, usual: 6 },
  zstd: { least: 1, most: 19, usual: 9 },
  lz4: { least: 1, most: 12, usual: 9 },
  xz: { least: 0, most: 9, usual: 6 },
};

/**
 * Writes the entries as an initramfs to `path`. The bytes depend on nothing but the entries, the compression,
 * its level and the version of the compressor. The file appears when it is whole and on the disk, readable by
 * its owner alone as it may hold keys; nothing is left behind when it fails.
 * @throws UserError
 */
export async function writeImage(
  path: string,
  entries: readonly CpioEntry[],
  compression: ImageCompression,
  level = COMPRESSIONS[compression].usual,
): Promise<void> {
  const { least, most } = COMPRESSIONS[compression];
  if (!Number.isInteger(level) || level < least || level > most)
    throw new UserError(`${level} is no level of ${compression}: it has ${least} to ${most}.`);
  const temporary = `${path}.new-${process.pid}`;
  try {
    const file = await open(hostPath(temporary), "wx", 0o600);
    try {
      await WRITERS[compression](file, writeCpio(entries), level);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(hostPath(temporary), hostPath(path));
    syncDirectory(path);
  } catch (error) {
    rmSync(hostPath(temporary), { force: true });
    if (error instanceof UserError) throw error;
    throw new UserError(`The image ${text(path)} can't be written: ${describe(error)}.`);
  }
}

type Chunks = Iterable<Uint8Array>;

const WRITERS: Readonly<
  Record<ImageCompression, (file: FileHandle, chunks: Chunks, level: number) => Promise<void>>
> = {
  none: (file, chunks) => pipeline(Readable.from(chunks), sink(file)),
  gzip: (file, chunks, level) => through(file, chunks, createGzip({ level })),
  zstd: (file, chunks, level) => through(file, chunks, createZstdCompress({ params: zstdParameters(level) })),
  // The kernel reads lz4's legacy format only (lib/decompress_unlz4.c).
  lz4: (file, chunks, level) => program(file, chunks, ["lz4", "-l", `-${level}`, "-c", "-q"]),
  // The kernel checks CRC32 only (Documentation/staging/xz.rst). Always two threads: their number shapes the result.
  xz: (file, chunks, level) =>
    program(file, chunks, ["xz", "--check=crc32", "--threads=2", `-${level}`, "-c", "-q"]),
};

function zstdParameters(level: number): Record<number, number> {
  return { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
}

async function through(file: FileHandle, chunks: Chunks, compressor: Transform): Promise<void> {
  await pipeline(Readable.from(chunks), compressor, sink(file));
}

function sink(file: FileHandle): (source: AsyncIterable<Uint8Array>) => Promise<void> {
  return async (source) => {
    for await (const chunk of source) {
      let done = 0;
      while (done < chunk.length) done += (await file.write(chunk, done)).bytesWritten;
    }
  };
}

async function program(file: FileHandle, chunks: Chunks, argv: readonly string[]): Promise<void> {
  const [name = ""] = argv;
  if (!Bun.which(name))
    throw new UserError(
      `The program ${name} is missing.`,
      `Install it, or choose another compression than ${name}.`,
    );
  const child = Bun.spawn([...argv], { stdin: "pipe", stdout: file.fd, stderr: "pipe" });
  const complaint = new Response(child.stderr).text();
  try {
    for (const chunk of chunks) {
      child.stdin.write(chunk);
      await child.stdin.flush();
    }
    await child.stdin.end();
  } catch (error) {
    child.kill();
    await child.exited;
    throw (await complaint) === "" ? error : new UserError(`${name} failed: ${(await complaint).trim()}.`);
  }
  const status = await child.exited;
  if (status !== 0) throw new UserError(`${name} failed (status ${status}): ${(await complaint).trim()}.`);
}

// The rename is on the disk only once its directory is.
function syncDirectory(path: string): void {
  const fd = openSync(hostPath(path.slice(0, path.lastIndexOf("/") + 1) || "."), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
