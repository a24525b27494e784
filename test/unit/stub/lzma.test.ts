/** The stub's LZMA decoder against xz, and against damaged streams under the address sanitizer. */

import { beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let program = "";
beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), "rdinit-lzma-"));
  program = join(dir, "lzma-check");
  const source = join(import.meta.dir, "lzma-check.c");
  const flags = [
    "-O1",
    "-std=gnu11",
    "-fno-builtin",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover",
  ];
  const built = Bun.spawnSync(["cc", ...flags, source, "-o", program]);
  expect(built.stderr.toString()).toBe("");
  return () => rmSync(dir, { recursive: true });
}, 60_000);

interface Case {
  readonly packed: Uint8Array;
  readonly size: number;
}

/** What the decoder says to each case. */
function unpack(cases: readonly Case[]): { good: boolean; bytes: Buffer }[] {
  const input = cases.flatMap(({ packed, size }) => [
    new Uint8Array(Uint32Array.of(packed.length, size).buffer),
    packed,
  ]);
  const { stdout, stderr, exitCode } = Bun.spawnSync([program], { stdin: Buffer.concat(input) });
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
  let at = 0;
  return cases.map(({ size }) => {
    const answer = { good: stdout[at] === 1, bytes: stdout.subarray(at + 1, at + 1 + size) };
    at += 1 + size;
    return answer;
  });
}

function pack(bytes: Uint8Array): Uint8Array {
  const xz = ["xz", "--format=raw", "--lzma1=preset=9,dict=131072,lc=3,lp=0,pb=2", "-c"];
  return Bun.spawnSync(xz, { stdin: Buffer.from(bytes) }).stdout;
}

// Bytes that compress in all of LZMA's ways: literals, matches near and far, repeated distances.
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 600 }))
        .map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc.constantFrom("the same words again and again; ", "other words, ").map((words) => Buffer.from(words)),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

test("what xz packs comes back, byte for byte", () => {
  const samples = fc.sample(content, { numRuns: 60, seed: 7 });
  const code = Bun.file(process.execPath).slice(0x2000000, 0x2000000 + 131072);
  return code.bytes().then((machineCode) => {
    const all = [...samples, machineCode];
    const answers = unpack(all.map((bytes) => ({ packed: pack(bytes), size: bytes.length })));
    for (const [i, { good, bytes }] of answers.entries()) {
      expect(good).toBe(true);
      expect(Buffer.compare(bytes, Buffer.from(all[i] ?? []))).toBe(0);
    }
  });
});

test("a stream that ends too early is refused", () => {
  const bytes = new Uint8Array(4000).map((_, i) => (i * i) % 251);
  const packed = pack(bytes);
  const cases = [0, 1, 4, 5, 20, packed.length >> 1].map((n) => ({
    packed: packed.subarray(0, n),
    size: bytes.length,
  }));
  expect(unpack(cases).map(({ good }) => good)).toEqual(cases.map(() => false));
});

test("no damaged stream leads out of its buffers", () => {
  const damaged = fc
    .tuple(content, fc.nat(), fc.integer({ min: 1, max: 255 }))
    .map(([bytes, place, flip]) => {
      const packed = new Uint8Array(Buffer.concat([pack(bytes)]));
      const at = place % packed.length;
      packed[at] = (packed[at] ?? 0) ^ flip;
      return { packed, size: bytes.length };
    });
  const random = fc
    .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 5000 }))
    .map(([bytes, size]) => ({
      packed: Uint8Array.of(0, ...bytes),
      size,
    }));
  const cases = [
    ...fc.sample(damaged, { numRuns: 80, seed: 8 }),
    ...fc.sample(random, { numRuns: 300, seed: 9 }),
  ];
  // The sanitizer would have ended the program, which unpack() sees.
  const answers = unpack(cases);
  expect(answers).toHaveLength(cases.length);
  // What comes before the damage may be all there is, but hardly the mark of the end.
  expect(answers.filter(({ good }) => good).length).toBeLessThan(5);
});
