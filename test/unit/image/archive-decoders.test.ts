import { describe, expect, test } from "bun:test";
import { compressionAt } from "../../../src/image/decompress/compressions.ts";
import { salvage, type Unpacked } from "../../../src/image/decompress/decoder.ts";
import { COMPRESSORS, pipe } from "../../fixtures/compress.ts";

/** Bytes of many kinds: text that repeats far and near, runs, and noise. */
function mixed(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let seed = 0x2545f491;
  const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 16;
  for (let at = 0; at < length;) {
    const run = Math.min(1 + (next() % 700), length - at);
    const kind = next() % 4;
    if (kind === 0) bytes.fill(next(), at, at + run);
    else if (kind === 1) for (let index = 0; index < run; index++) bytes[at + index] = next();
    else bytes.copyWithin(at, Math.max(0, at - 1 - (next() % 60_000)), at);
    at += run;
  }
  return bytes;
}

const data = mixed(500_000);
const front = Buffer.from("\0\0\0\0(in front)", "latin1");
// What looks like more of them, and like the ends that are searched for.
const behind = Buffer.from("\0\0\0\0BZh91AY\x1f\x8b\x28\xb5\x2f\xfd070701", "latin1");

const WAYS: readonly (readonly [keyof typeof COMPRESSORS, ...string[]])[] = [
  ["gzip", "gzip", "-c", "-1"],
  ["gzip", "gzip", "-c", "-9", "-n"],
  ["bzip2", "bzip2", "-c", "-1"],
  ["bzip2", "bzip2", "-c", "-9"],
  ["lzma", "xz", "-c", "--format=lzma", "-1"],
  ["lzma", "xz", "-c", "--format=lzma", "-9e"],
  ["xz", "xz", "-c", "--check=crc32"],
  ["xz", "xz", "-c", "--check=none", "--block-size=100000"],
  ["xz", "xz", "-c", "--check=sha256", "--x86", "--lzma2=dict=64KiB"],
  ["lzo", "lzop", "-c", "-1"],
  ["lzo", "lzop", "-c", "-9"],
  ["lzo", "lzop", "-c", "--crc32"],
  ["lz4", "lz4", "-c", "-l", "-1"],
  ["lz4", "lz4", "-c", "-l", "-12"],
  ["zstd", "zstd", "-c", "-1", "--no-check"],
  ["zstd", "zstd", "-c", "-19", "--long=27"],
  ["zstd", "zstd", "-c", "--content-size", "--stream-size=500000"],
];

function decodeAs(name: string, image: Uint8Array, at = 0): Unpacked {
  const compression = compressionAt(image, at);
  expect(compression?.name as string | undefined).toBe(name);
  return compression?.decoder(image, at) ?? { data: new Uint8Array(0), end: -1 };
}

for (const [name, ...argv] of WAYS)
  describe(argv.join(" "), () => {
    const packed = pipe(argv, data);

    test("gives what was packed", () => {
      expect(decodeAs(name, packed)).toEqual({ data: expect.anything(), end: packed.length });
      expect(Buffer.compare(decodeAs(name, packed).data, data)).toBe(0);
    });
    test("in the midst of an image it ends where it does", () => {
      const found = decodeAs(name, Buffer.concat([front, packed, behind]), front.length);
      expect(found.end).toBe(front.length + packed.length);
      expect(found.fault).toBeUndefined();
      expect(Buffer.compare(found.data, data)).toBe(0);
    });
    test("nothing can be packed, too", () => {
      const empty = pipe(argv, new Uint8Array(0));
      expect(decodeAs(name, empty)).toEqual({ data: expect.anything(), end: empty.length });
      expect(decodeAs(name, empty).data.length).toBe(0);
    });
    test("cut short anywhere, it is a fault with a beginning that is right", () => {
      for (const part of [0.1, 0.5, 0.9, 0.999]) {
        const length = Math.floor(packed.length * part);
        const found = decodeAs(name, packed.subarray(0, length));
        expect(found.fault).toMatch(/cut short$/);
        expect(found.end).toBe(length);
        expect(Buffer.compare(found.data, data.subarray(0, found.data.length))).toBe(0);
      }
    });
    test("damaged anywhere, it is a fault or unpacked, and no more than there was", () => {
      for (let at = 20; at < packed.length; at += Math.ceil(packed.length / 12)) {
        const bad = new Uint8Array(packed);
        bad[at] = (bad[at] ?? 0) ^ 0x5a;
        const found = decodeAs(name, bad);
        expect(found.end).toBeLessThanOrEqual(bad.length);
        // These have no checksum.
        if (
          name !== "lz4" &&
          name !== "lzma" &&
          !argv.includes("--no-check") &&
          !argv.includes("--check=none")
        )
          expect(found.fault).toBeDefined();
      }
    });
  });

const decode = (image: Uint8Array) => compressionAt(image, 0)?.decoder(image, 0);

const chunk = (...block: number[]) => [block.length, 0, 0, 0, ...block];

describe("lz4", () => {
  const MAGIC = [0x02, 0x21, 0x4c, 0x18];
  // The last five bytes of a block are always literals: "bbbbb".
  const LAST = [0x50, 0x62, 0x62, 0x62, 0x62, 0x62];
  // One literal, then four bytes copied from `distance` bytes before.
  const copying = (distance: number) => chunk(0x10, 0x61, distance, 0, ...LAST);

  test("a copy reaches back within its chunk, and to no other", () => {
    const right = decode(Buffer.of(...MAGIC, ...copying(1)));
    expect(right?.fault).toBeUndefined();
    expect(Buffer.from(right?.data ?? []).toString()).toBe("aaaaabbbbb");
    for (const [image, before] of [
      [[...MAGIC, ...copying(0)], "a"],
      [[...MAGIC, ...chunk(...LAST), ...copying(2)], "bbbbba"],
    ] as const) {
      const { data: found = [], fault } = decode(Buffer.of(...image)) ?? {};
      expect([Buffer.from(found).toString(), fault]).toEqual([before, "they are damaged"]);
    }
  });
});

describe("gzip", () => {
  test("a header with all that it can have", () => {
    const plain = pipe(["gzip", "-c", "-n"], data);
    const extra = [3, 0, 1, 2, 3, ...Buffer.from("name\0comment\0"), 0xaa, 0xbb];
    const image = Buffer.concat([
      plain.subarray(0, 3),
      Buffer.of(0x1e),
      plain.subarray(4, 10),
      Buffer.of(...extra),
      plain.subarray(10),
    ]);
    expect(Buffer.compare(decode(image)?.data ?? image, data)).toBe(0);
    expect(decode(image)?.end).toBe(image.length);
  });
  test("a header without an end", () => {
    const header = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 65, 66]);
    expect(decode(header)).toMatchObject({ end: header.length, fault: "they are cut short" });
    expect(decode(header.subarray(0, 3))).toMatchObject({ end: 3, fault: "they are cut short" });
  });
  test("a wrong checksum and a wrong length", () => {
    const packed = pipe(["gzip", "-c"], data);
    for (const back of [2, 6]) {
      const bad = new Uint8Array(packed);
      bad[packed.length - back] = (bad[packed.length - back] ?? 0) ^ 1;
      expect(decode(bad)).toMatchObject({
        end: packed.length,
        fault: "they do not agree with their checksum",
      });
    }
  });
});

describe("what claims to hold too much", () => {
  test("in blocks of zstd that repeat one byte", () => {
    // Four bytes stand for 128 KiB.
    const block = [0x02, 0x00, 0x10, 0x00];
    const bomb = Uint8Array.from([
      0x28,
      0xb5,
      0x2f,
      0xfd,
      0x00,
      0x58,
      ...Array.from({ length: 17_000 }, () => block).flat(),
    ]);
    expect(compressionAt(bomb, 0)?.decoder(bomb, 0)).toMatchObject({ fault: "they hold more than 2 GiB" });
  });
  test("in the header of lzma", () => {
    const bomb = Buffer.from("\x5d\0\0\0\x01\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0", "latin1");
    expect(compressionAt(bomb, 0)?.decoder(bomb, 0)).toMatchObject({ fault: "they hold more than 2 GiB" });
  });
});

const upTo = (limit: number) => (length: number) => {
  if (length > limit) throw new Error("damaged");
  return new Uint8Array(length);
};

test("salvage finds the longest part that can be unpacked, within its steps", () => {
  expect(salvage(1_000_000, upTo(123_456)).length).toBe(122_880);
  expect(salvage(1_000_000, upTo(0)).length).toBe(0);
  expect(salvage(0, upTo(0)).length).toBe(0);
});

const nameOf = (...bytes: number[]) => compressionAt(Uint8Array.from(bytes), 0)?.name;

test("the kernel's magic numbers, and nothing else", () => {
  expect(nameOf(0x1f, 0x8b)).toBe("gzip");
  expect(nameOf(0x5d, 0x00)).toBe("lzma");
  expect(nameOf(0x5d, 0x01)).toBeUndefined();
  expect(nameOf(0x30, 0x37)).toBeUndefined();
  expect(nameOf()).toBeUndefined();
});
