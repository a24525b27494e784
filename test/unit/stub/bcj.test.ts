/** The stub's filter for machine code against xz's, under the address sanitizer. */

import { beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let program = "";
beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), "rdinit-bcj-"));
  program = join(dir, "bcj-check");
  const source = join(import.meta.dir, "bcj-check.c");
  const flags = ["-O1", "-std=gnu11", "-fsanitize=address,undefined", "-fno-sanitize-recover"];
  const built = Bun.spawnSync(["cc", ...flags, source, "-o", program]);
  expect(built.stderr.toString()).toBe("");
  return () => rmSync(dir, { recursive: true });
}, 60_000);

function unfilter(bytes: Uint8Array): Buffer {
  const { stdout, stderr, exitCode } = Bun.spawnSync([program], { stdin: Buffer.from(bytes) });
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
  return stdout;
}

function xz(more: readonly string[], bytes: Uint8Array): Buffer {
  return Bun.spawnSync(["xz", "--format=raw", ...more, "-c"], { stdin: Buffer.from(bytes) }).stdout;
}

/** What xz gives LZMA to compress: packed with its filter, unpacked without. */
function filter(bytes: Uint8Array): Buffer {
  return xz(["--decompress", "--lzma1=preset=1"], xz(["--x86", "--lzma1=preset=1"], bytes));
}

test("machine code comes back, byte for byte", async () => {
  const code = await Bun.file(process.execPath).slice(0x3000000, 0x3040000).bytes();
  const filtered = filter(code);
  expect(Buffer.compare(filtered, code)).not.toBe(0);
  expect(Buffer.compare(unfilter(filtered), code)).toBe(0);
});

test("so does what looks like calls and jumps, down to the last bytes", () => {
  const byte = fc.oneof(fc.constantFrom(0xe8, 0xe9, 0x00, 0xff, 0x0f), fc.integer({ min: 0, max: 255 }));
  const pieces = fc.sample(fc.uint8Array({ maxLength: 12 }), { numRuns: 4, seed: 3 });
  const samples = fc.sample(fc.array(byte, { maxLength: 3000 }), { numRuns: 40, seed: 4 });
  for (const bytes of [...pieces, ...samples].map((sample) => Uint8Array.from(sample)))
    expect(Buffer.compare(unfilter(filter(bytes)), bytes)).toBe(0);
});
