import { expect, test } from "bun:test";
import { deflateRawSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { UserError } from "../../src/lib/errors.ts";
import { readImage, type Archive } from "../../src/image/archive.ts";
import { ArchiveTree } from "../../src/image/archive-tree.ts";
import { compressionAt } from "../../src/image/decompress/compressions.ts";
import { writeCpio, type CpioEntry } from "../../src/image/cpio.ts";
import { compressed } from "../fixtures/compress.ts";
import { rawEntry } from "../fixtures/newc.ts";

const name = fc.string({ unit: fc.constantFrom(..."ab.\xff "), minLength: 1, maxLength: 3 });
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const common = { path, mode: fc.nat(0o7777), uid: fc.nat(9), gid: fc.nat(9), mtime: fc.nat(2 ** 32 - 1) };
const data = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.nat(5000).map((length) => new Uint8Array(length).fill(65)),
);
const entry: fc.Arbitrary<CpioEntry> = fc.oneof(
  fc.record({ ...common, type: fc.constant("file" as const), data }),
  fc.record({ ...common, type: fc.constant("symlink" as const), target: path }),
  fc.record({ ...common, type: fc.constant("char" as const), rdev: fc.constant("5:1") }),
  fc.record({ ...common, type: fc.constantFrom("directory" as const, "fifo" as const) }),
);
const entries = fc.array(entry, { maxLength: 6 });

/** Compressions that need no process of their own, so that many images can be made. */
const PACK = {
  none: (bytes: Uint8Array) => bytes,
  gzip: (bytes: Uint8Array) => Bun.gzipSync(bytes as Uint8Array<ArrayBuffer>),
  zstd: (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes)),
} as const;
const compression = fc.constantFrom("none" as const, "gzip" as const, "zstd" as const);
const segment = fc.record({ compression, entries });

function archiveOf(list: readonly CpioEntry[], pad = 4): Uint8Array {
  return Buffer.concat([...writeCpio(list, pad)]);
}

function imageOf(segments: readonly { compression: keyof typeof PACK; entries: CpioEntry[] }[], pad: number) {
  const parts = segments.flatMap((one) => {
    const part = PACK[one.compression](archiveOf(one.entries, pad));
    return [part, new Uint8Array(-part.length & 3), new Uint8Array(pad)];
  });
  return Buffer.concat(parts);
}

/** Uses all that an archive holds: nothing of it may throw. */
function use(archive: Archive): void {
  const tree = new ArchiveTree(archive, "image");
  for (const { path: place, node } of tree.entries()) {
    // Every name leads to its node by itself.
    expect(tree.node(place, "stay")).toBe(node);
    const found = tree.resolve(place);
    if (found) expect(tree.resolve(found.path)).toMatchObject({ path: found.path, links: [] });
    if (node.type === "directory") expect(tree.list(place)).toEqual([...node.names].sort());
    if (node.type === "file") expect(tree.read(place)).toBe(node.data);
  }
  if (archive.damage) expect(archive.damage).toBeInstanceOf(UserError);
}

test("an image is read as it was written: every segment with its entries, in its place", () => {
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(4, 512),
      (segments, pad) => {
        const image = imageOf(segments, pad);
        const read = readImage(image);
        expect(read.damage).toBeUndefined();
        expect(read.segments.map((one) => one.compression)).toEqual(segments.map((one) => one.compression));
        for (const [at, { members, offset, size }] of read.segments.entries()) {
          const written = segments[at]?.entries ?? [];
          expect(members.map(({ path: place, type, mode }) => [place, type, mode])).toEqual(
            written.map((one) => [one.path, one.type, "mode" in one ? one.mode : 0]),
          );
          // A segment can be cut out and read by itself, but for the numbers of its archives.
          const alone = readImage(image.subarray(offset, offset + size)).segments;
          expect(alone.map((one) => one.members.map((member) => member.path))).toEqual([
            written.map((one) => one.path),
          ]);
        }
        use(read);
      },
    ),
    { numRuns: 300 },
  );
});

const change = fc.tuple(fc.nat(4000), fc.nat(255));

test("a damaged image is read as far as it goes, and what is wrong is a sentence", () => {
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 3 }),
      fc.array(change, { maxLength: 4 }),
      fc.nat(4000),
      (segments, changes, length) => {
        const image = imageOf(segments, 4).subarray(0, length);
        for (const [at, value] of changes) if (at < image.length) image[at] = value;
        const read = readImage(image);
        for (const { offset, size, members } of read.segments) {
          expect(offset + size).toBeLessThanOrEqual(image.length);
          expect(members.length).toBeLessThanOrEqual(1000);
        }
        use(read);
      },
    ),
    { numRuns: 2000 },
  );
});

test("random bytes, with and without a magic in front", () => {
  const magics = [
    "",
    "\x1f\x8b\x08\0",
    "\x5d\0\0\x80\0",
    "\xfd7zXZ\0\0\x01",
    "\x02\x21\x4c\x18",
    "\x28\xb5\x2f\xfd",
    "070701",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 300 }), (magic, bytes) => {
      use(readImage(Buffer.concat([Buffer.from(magic, "latin1"), bytes])));
    }),
    { numRuns: 3000 },
  );
});

test("damaged data of each compression unpack to something or are a fault, and end within the image", () => {
  const plain = archiveOf([
    { type: "file", path: "f", mode: 0, data: Buffer.from("some words ".repeat(300)) },
  ]);
  const packed = (["lzma", "xz", "lz4", "zstd", "gzip"] as const).map((one) => compressed(one, plain));
  fc.assert(
    fc.property(
      fc.constantFrom(...packed),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(600),
      (bytes, changes, length) => {
        const image = new Uint8Array(bytes.subarray(0, length));
        for (const [at, value] of changes) if (at >= 2 && at < image.length) image[at] = value;
        const found = compressionAt(image, 0)?.decoder(image, 0);
        if (found) expect(found.end).toBeWithin(1, image.length + 1);
        use(readImage(image));
      },
    ),
    { numRuns: 2000 },
  );
});

test("entries that lie on each other, in all ways", () => {
  const place = fc.constantFrom(
    "a",
    "b",
    "a/b",
    "a/b/c",
    "b/a",
    ".",
    "..",
    "a/..",
    "a/../b",
    "/a",
    "dev/a",
    "a/",
  );
  const raw = fc.record({
    name: place,
    mode: fc.constantFrom(0o100644, 0o40755, 0o120777, 0o20600, 0o10600, 0o140600, 0),
    nlink: fc.constantFrom(1, 2),
    ino: fc.constantFrom("00000001", "00000002"),
    data: fc.constantFrom("", "a", "b", "..", "/a/b", "x"),
  });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(raw, fc.constant({ name: "TRAILER!!!", mode: 0 })), { maxLength: 14 }),
      (list) => {
        use(readImage(Buffer.from(list.map((one) => rawEntry(one)).join(""), "latin1")));
      },
    ),
    { numRuns: 3000 },
  );
});

test("gzip: any header that RFC 1952 allows", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab c"), maxLength: 20 });
  fc.assert(
    fc.property(
      fc.nat(31),
      text,
      text,
      fc.uint8Array({ maxLength: 30 }),
      data,
      (flags, file, comment, extra, contents) => {
        const has = (flag: number) => (flags & flag) !== 0;
        const trailer = Buffer.alloc(8);
        trailer.writeUInt32LE(Bun.hash.crc32(contents), 0);
        trailer.writeUInt32LE(contents.length, 4);
        const image = Buffer.concat([
          Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]),
          has(4) ? Buffer.concat([Buffer.from([extra.length, 0]), extra]) : Buffer.alloc(0),
          has(8) ? Buffer.from(`${file}\0`) : Buffer.alloc(0),
          has(16) ? Buffer.from(`${comment}\0`) : Buffer.alloc(0),
          has(2) ? Buffer.from([1, 2]) : Buffer.alloc(0),
          deflateRawSync(contents),
          trailer,
        ]);
        const found = compressionAt(image, 0)?.decoder(Buffer.concat([image, Buffer.from("070701")]), 0);
        expect(found?.end).toBe(image.length);
        expect(Buffer.compare(found?.data ?? image, contents)).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});
