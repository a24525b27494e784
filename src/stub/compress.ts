/** The windows of the packed form, each compressed by itself, as lzma.c and bcj.c unpack them. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/errors.ts";

/** WINDOW_SIZE of layout.h */
export const WINDOW = 1 << 17;

/** A piece of a region before it is compressed; `isCode` when it is machine code. */
export interface Window {
  readonly bytes: Uint8Array;
  readonly isCode: boolean;
}

/**
 * Compresses the windows, two at a time; results are kept in build/, as the runtime is the same from build to build.
 * What does not become shorter stays as it is.
 * @throws UserError when xz is missing
 */
export async function compressAll(windows: readonly Window[]): Promise<Uint8Array[]> {
  const results: Uint8Array[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < windows.length; i = next++) {
      const window = windows[i];
      if (window !== undefined) results[i] = await compress(window);
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

const cacheDirectory = join(import.meta.dir, "../../build/windows");

async function compress({ bytes, isCode }: Window): Promise<Uint8Array> {
  const lzma = `--lzma1=preset=9,dict=${WINDOW},lc=3,lp=0,pb=2`;
  const xz = ["xz", "--format=raw", ...(isCode ? ["--x86"] : []), lzma, "--threads=1", "-c"];
  const file = join(cacheDirectory, createHash("sha256").update(xz.join(" ")).update(bytes).digest("hex"));
  if (existsSync(file)) return readFileSync(file);
  const child = Bun.spawn(xz, { stdin: Buffer.from(bytes), stdout: "pipe", stderr: "pipe" });
  const [packed, words, status] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0)
    throw new UserError(`xz failed with status ${status}: ${words.trim()}`, "Install xz (Debian: xz-utils).");
  const result = packed.length < bytes.length ? packed : bytes;
  mkdirSync(cacheDirectory, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, result);
  renameSync(`${file}.${process.pid}`, file);
  return result;
}
