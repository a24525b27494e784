/** Writing an image to a file: compressed as asked for, and whole or not at all. */

import { fdatasync, writeSync } from "node:fs";
import type { Transform } from "node:stream";
import { promisify } from "node:util";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import { UserError } from "../lib/errors.ts";
import { replaceFile } from "./atomic.ts";
import { programEnvironment } from "./program-environment.ts";
import { writeCpio, type CpioEntry } from "./cpio.ts";

/** How an image can be compressed. Which of them a kernel reads is up to its CONFIG_RD_*. */
export type ImageCompression = "none" | "gzip" | "zstd" | "lz4" | "xz";

/** The compressions by name, each with its levels and the one that is taken when none is given: good, and quickly done. */
export const COMPRESSIONS: Readonly<
  Record<ImageCompression, { readonly least: number; readonly most: number; readonly usual: number }>
> = {
  none: { least: 0, most: 0, usual: 0 },
  gzip: { least: 1, most: 9, usual: 6 },
  zstd: { least: 1, most: 19, usual: 9 },
  lz4: { least: 1, most: 12, usual: 3 },
  xz: { least: 0, most: 9, usual: 6 },
};

/**
 * Writes the entries as an initramfs to `path`; those of `early` stand in front, in an archive of their own that
 * is never compressed, where the kernel looks for microcode. The bytes depend on nothing but the entries, the
 * compression, its level and the version of the compressor. The file replaces an older one when it is whole and
 * on the disk, and is readable by its owner alone as it may hold keys.
 * @throws UserError
 */
export async function writeImage(
  path: string,
  entries: readonly CpioEntry[],
  compression: ImageCompression,
  level = COMPRESSIONS[compression].usual,
  early: readonly CpioEntry[] = [],
): Promise<void> {
  const { least, most } = COMPRESSIONS[compression];
  if (!Number.isInteger(level) || level < least || level > most)
    throw new UserError(`${level} is no level of ${compression}: it has ${least} to ${most}.`);
  await replaceFile(path, "image", async (fd) => {
    if (early.length > 0) await writeAll(fd, writeCpio(early));
    await WRITERS[compression](fd, writeCpio(entries), level);
  });
}

type Chunks = Iterable<Uint8Array>;

/** Small pieces, of which an archive has two for each file, are written together. Small ones of zlib take five times as long. */
const BLOCK = 1 << 20;

const WRITERS: Readonly<
  Record<ImageCompression, (fd: number, chunks: Chunks, level: number) => Promise<void>>
> = {
  none: writeAll,
  gzip: (fd, chunks, level) => through(fd, chunks, createGzip({ level, chunkSize: BLOCK })),
  zstd: (fd, chunks, level) =>
    through(fd, chunks, createZstdCompress({ params: zstdParameters(level), chunkSize: BLOCK })),
  // The kernel reads lz4's legacy format only (lib/decompress_unlz4.c).
  lz4: (fd, chunks, level) => program(fd, chunks, ["lz4", "-l", `-${level}`, "-c", "-q"]),
  // The kernel checks CRC32 only (Documentation/staging/xz.rst). Always two threads: their number shapes the result.
  xz: (fd, chunks, level) =>
    program(fd, chunks, ["xz", "--check=crc32", "--threads=2", `-${level}`, "-c", "-q"]),
};

function zstdParameters(level: number): Record<number, number> {
  return { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
}

function* inBlocks(chunks: Chunks): Generator<Uint8Array, void> {
  let block = Buffer.allocUnsafe(BLOCK);
  let filled = 0;
  for (const chunk of chunks) {
    if (filled + chunk.length > BLOCK) {
      yield block.subarray(0, filled);
      // A compressor may still be reading the one before.
      block = Buffer.allocUnsafe(BLOCK);
      filled = 0;
    }
    if (chunk.length >= BLOCK) yield chunk;
    else {
      block.set(chunk, filled);
      filled += chunk.length;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** Each time so much was written, the disk is set to work on it: it would else stand idle until the end. */
const FLUSH = 16 << 20;

async function writeAll(fd: number, chunks: Chunks): Promise<void> {
  const flushes: Promise<void>[] = [];
  let since = 0;
  try {
    for (const block of inBlocks(chunks)) {
      writeBlock(fd, block);
      since += block.length;
      if (since < FLUSH) continue;
      flushes.push(flush(fd));
      since = 0;
    }
    await Promise.all(flushes);
  } finally {
    // The file is closed next, and must not be under their feet.
    await Promise.allSettled(flushes);
  }
}

const flush = promisify(fdatasync);

function writeBlock(fd: number, block: Uint8Array): void {
  for (let done = 0; done < block.length;) done += writeSync(fd, block, done);
}

async function through(fd: number, chunks: Chunks, compressor: Transform): Promise<void> {
  const written = (async () => {
    for await (const chunk of compressor) writeBlock(fd, chunk as Uint8Array);
  })();
  const fed = (async () => {
    for (const block of inBlocks(chunks))
      if (!compressor.write(block)) await new Promise((resolve) => compressor.once("drain", resolve));
    compressor.end();
  })();
  try {
    await Promise.all([fed, written]);
  } finally {
    compressor.destroy();
    await Promise.allSettled([written]);
  }
}

async function program(fd: number, chunks: Chunks, argv: readonly string[]): Promise<void> {
  const [name = ""] = argv;
  if (!Bun.which(name))
    throw new UserError(
      `The program ${name} is missing.`,
      `Install it, or choose another compression than ${name}.`,
    );
  const child = Bun.spawn([...argv], {
    env: programEnvironment(),
    stdin: "pipe",
    stdout: fd,
    stderr: "pipe",
  });
  const complaint = new Response(child.stderr).text();
  try {
    for (const block of inBlocks(chunks)) {
      child.stdin.write(block);
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
