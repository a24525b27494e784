import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openImage, readImage, type Archive } from "../../../src/image/archive.ts";
import { writeCpio, type CpioEntry } from "../../../src/image/cpio.ts";
import { compressed, COMPRESSORS, pipe } from "../../fixtures/compress.ts";
import { RAW_TRAILER, rawEntry } from "../../fixtures/newc.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

type Compression = keyof typeof COMPRESSORS | "none";
const ALL: readonly Compression[] = ["none", "gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd"];

function cpio(...names: string[]): Uint8Array<ArrayBuffer> {
  const entries = names.map((path): CpioEntry => ({
    type: "file",
    path,
    mode: 0o644,
    data: Buffer.from(`contents of ${path}\n`.repeat(50)),
  }));
  return Buffer.concat([...writeCpio(entries, 4)]);
}

function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

function upTo4(bytes: Uint8Array): Uint8Array {
  return zeros(-bytes.length & 3);
}

/** The paths in each segment, and how it is packed. */
function summary({ segments }: Archive): (readonly [string, ...string[]])[] {
  return segments.map(
    ({ compression, members }) => [compression, ...members.map(({ path }) => path)] as const,
  );
}

const earlySegments = (...parts: Uint8Array[]) =>
  readImage(Buffer.concat(parts)).segments.map((segment) => segment.early);

const damageOf = (...parts: (Uint8Array | string)[]) =>
  readImage(Buffer.concat(parts.map((part) => Buffer.from(part as string, "latin1"))), "initrd").damage
    ?.message;

const inFormat = (format: string) => pipe(["cpio", "-o", "-H", format, "--quiet"], "/etc/hostname\n");

describe("segments", () => {
  test("an archive as it is, and nothing else", () => {
    const image = cpio("init", "etc");
    const { segments, damage } = readImage(image);
    expect(damage).toBeUndefined();
    expect(segments).toMatchObject([
      { offset: 0, compression: "none", size: image.length, unpackedSize: image.length, early: false },
    ]);
    expect(segments[0]?.members.map(({ path }) => path)).toEqual(["init", "etc"]);
  });

  for (const compression of ALL.slice(1))
    test(`${compression}, with zeros behind`, () => {
      const archive = cpio("init", "etc");
      const packed = compressed(compression, archive);
      const read = readImage(Buffer.concat([packed, zeros(700)]));
      expect(read.damage).toBeUndefined();
      expect(summary(read)).toEqual([[compression, "init", "etc"]]);
      expect(read.segments[0]).toMatchObject({
        offset: 0,
        size: packed.length,
        unpackedSize: archive.length,
      });
    });

  for (const first of ALL)
    for (const second of ALL)
      test(`${first}, then ${second}`, () => {
        const [one, two] = [compressed(first, cpio("one", "more")), compressed(second, cpio("two"))];
        // An archive must begin at a multiple of four, and lz4 must be ended by four zeros.
        const gap = Buffer.concat([upTo4(one), zeros(first === "lz4" ? 4 : 0)]);
        const read = readImage(Buffer.concat([one, gap, two]));
        expect(read.damage).toBeUndefined();
        expect(summary(read)).toEqual([
          [first, "one", "more"],
          [second, "two"],
        ]);
        expect(read.segments.map(({ offset, size }) => [offset, size])).toEqual([
          [0, one.length],
          [one.length + gap.length, two.length],
        ]);
      });

  test("all of them in a row", () => {
    const parts = ALL.flatMap((compression) => {
      const part = compressed(compression, cpio(compression));
      return [part, upTo4(part), zeros(compression === "lz4" ? 4 : 0)];
    });
    const read = readImage(Buffer.concat(parts));
    expect(read.damage).toBeUndefined();
    expect(summary(read)).toEqual(ALL.map((compression) => [compression, compression]));
  });

  test("members, streams and frames that follow each other are segments of their own", () => {
    for (const compression of ["gzip", "xz", "zstd"] as const) {
      const parts = ["a", "b", "c"].map((name) => compressed(compression, cpio(name)));
      expect(summary(readImage(Buffer.concat(parts)))).toEqual([
        [compression, "a"],
        [compression, "b"],
        [compression, "c"],
      ]);
    }
    // The kernel's decoder takes all that there are of these.
    const lz4 = ["a", "b"].map((name) => compressed("lz4", cpio(name)));
    expect(summary(readImage(Buffer.concat(lz4)))).toEqual([["lz4", "a", "b"]]);
  });

  test("compressed data may hold several archives, and zeros between them", () => {
    const inside = Buffer.concat([cpio("a"), zeros(512), cpio("b"), zeros(8)]);
    const { segments } = readImage(compressed("zstd", inside));
    expect(segments.map(({ members }) => members.map(({ path, archive }) => [path, archive]))).toEqual([
      [
        ["a", 0],
        ["b", 1],
      ],
    ]);
  });

  test("an archive without a trailer ends where something else begins", () => {
    const open = Buffer.from(rawEntry({ name: "open" }), "latin1");
    const read = readImage(Buffer.concat([open, zeros(8), open, compressed("gzip", cpio("a"))]));
    expect(summary(read)).toEqual([
      ["none", "open", "open"],
      ["gzip", "a"],
    ]);
    expect(read.segments.flatMap(({ members }) => members.map(({ archive }) => archive))).toEqual([0, 0, 0]);
  });

  test("an archive in front is early when the kernel looks into it early", () => {
    const microcode = cpio("kernel/x86/microcode/AuthenticAMD.bin");
    const tables = cpio("kernel/firmware/acpi/dsdt.aml");
    expect(earlySegments(microcode, tables, compressed("zstd", cpio("init")))).toEqual([true, true, false]);
    expect(earlySegments(cpio("kernel/x86/other"), microcode)).toEqual([false, true]);
    const gzip = compressed("gzip", cpio("init"));
    expect(earlySegments(gzip, upTo4(gzip), microcode)).toEqual([false, false]);
    expect(earlySegments(compressed("zstd", microcode))).toEqual([false]);
  });
});

describe("GNU cpio's archives", () => {
  const directory = temporaryTree({ "a/file": "12345", "a/link": "-> file", big: "x".repeat(200_000) });
  for (const format of ["newc", "crc"])
    for (const compression of ALL)
      test(`${format}, ${compression}`, () => {
        const archive = pipe(["cpio", "-o", "-H", format, "--quiet"], "a\na/file\na/link\nbig\n", {
          cwd: directory,
        });
        const read = readImage(compressed(compression, archive));
        expect(read.damage).toBeUndefined();
        expect(read.segments[0]?.members.map(({ path, type, data }) => [path, type, data.length])).toEqual([
          ["a", "directory", 0],
          ["a/file", "file", 5],
          ["a/link", "symlink", 4],
          ["big", "file", 200_000],
        ]);
      });
});

describe("damage", () => {
  const first = cpio("first");

  for (const compression of ALL)
    test(`${compression} that is cut short keeps what is whole`, () => {
      const noise = ["one", "two", "three"].map((path) => ({
        path,
        data: crypto.getRandomValues(new Uint8Array(60_000)),
      }));
      const entries = noise.map((file): CpioEntry => ({ ...file, type: "file", mode: 0o644 }));
      const packed = compressed(compression, Buffer.concat([...writeCpio(entries)]));
      const read = readImage(Buffer.concat([cpio("early"), packed.subarray(0, 150_000)]), "initrd");
      const [early, cut] = read.segments;
      expect(early?.members.length).toBe(1);
      // These unpack in blocks that are larger than this image.
      const isWhole = !["lz4", "bzip2", "lzo"].includes(compression);
      expect(cut?.members.map(({ path }) => path)).toEqual(isWhole ? ["one", "two"] : []);
      for (const [at, { data }] of (cut?.members ?? []).entries())
        expect(Buffer.compare(data, noise[at]?.data ?? data.subarray(1))).toBe(0);
      const last = isWhole ? "two" : "early";
      const fault = compression === "lzma" ? "damaged or cut short" : "cut short";
      if (compression === "none")
        expect(read.damage?.message).toEndWith('): it ends inside the entry "three".');
      else
        expect(read.damage?.message).toBe(
          `initrd is damaged after the entry "${last}" (in the ${compression} data at byte 1140): they are ${fault}.`,
        );
      expect(read.damage?.remedy).toBe("Copy it again, or build it anew.");
    });

  test("what comes before it is there", () => {
    const read = readImage(
      Buffer.concat([first, compressed("gzip", cpio("second")), Buffer.from("junk")]),
      "initrd",
    );
    expect(summary(read)).toEqual([
      ["none", "first"],
      ["gzip", "second"],
    ]);
    expect(read.damage?.message).toMatch(
      /^initrd is damaged after the entry "second" \(at byte \d+\): what follows is neither an archive nor compressed data\.$/,
    );
  });

  test("an archive that begins at an odd place", () => {
    expect(damageOf(first, zeros(2), first)).toBe(
      `initrd is damaged after the entry "first" (at byte ${first.length + 2}): an entry begins at an odd place.`,
    );
  });

  test("inside compressed data, with the place in both", () => {
    const inside = Buffer.concat([first, Buffer.from("0707")]);
    expect(damageOf(first, compressed("gzip", inside))).toBe(
      `initrd is damaged after the entry "first" (at byte ${first.length} of the gzip data at byte ${first.length}, ` +
        "unpacked): it ends inside a header.",
    );
    expect(damageOf(compressed("gzip", Buffer.from("hello\n")))).toBe(
      "initrd is damaged before its first entry (at byte 0 of the gzip data at byte 0, unpacked): " +
        "what follows is no archive.",
    );
  });

  test("an archive that ends inside compressed data does not go on behind them", () => {
    const archive = cpio("one", "two");
    const halves = [archive.subarray(0, 1500), archive.subarray(1500)].map((half) =>
      compressed("gzip", half),
    );
    expect(damageOf(...halves)).toContain('it ends inside the entry "two".');
  });

  test("what is no image at all", () => {
    const none = "initrd is no initramfs: it begins with";
    expect(damageOf("")).toBe("initrd holds nothing.");
    expect(damageOf(zeros(5000))).toBe("initrd holds nothing but zeros.");
    expect(damageOf("#!/bin/sh\n")).toBe(`${none} neither an archive nor compressed data.`);
    expect(damageOf("\x7fELF...")).toBe(`${none} a program.`);
    expect(damageOf("MZ\0\0")).toBe(`${none} a kernel or another program for EFI.`);
    expect(damageOf(pipe(["lz4", "-c"], first))).toBe(
      `${none} lz4 data in a frame that the kernel does not know (lz4 -l makes the right one).`,
    );
    expect(damageOf(inFormat("bin"))).toBe(
      `${none} an archive in an old format of cpio (cpio -H newc makes the right one).`,
    );
    expect(damageOf(inFormat("odc"))).toContain(
      'it is in an older format of cpio; "-H newc" makes the right one.',
    );
  });

  test("lz4 must be ended by four zeros when something follows", () => {
    const lz4 = compressed("lz4", first);
    const pad = upTo4(lz4);
    expect(damageOf(lz4, pad, zeros(4), first)).toBeUndefined();
    expect(damageOf(lz4.subarray(0), first)).toContain(
      "something follows them without the four zeros that end them.",
    );
  });

  test("a wrong checksum inside", () => {
    const bad = rawEntry({ magic: "070702", name: "bad", data: "ASDF", check: 1 }) + RAW_TRAILER;
    expect(damageOf(first, compressed("zstd", Buffer.from(bad, "latin1")))).toContain(
      'the data of "bad" do not agree with their checksum.',
    );
  });
});

describe("openImage", () => {
  test("a file by a name that is no UTF-8", () => {
    const path = Buffer.concat([Buffer.from(join(temporaryDirectory(), "image-")), Buffer.from([0xff])]);
    writeFileSync(path, cpio("init"));
    expect(summary(openImage(path.toString("latin1")))).toEqual([["none", "init"]]);
  });
  test("no file, and no file but a directory or a device", () => {
    expect(() => openImage("/dev/zero")).toThrow("/dev/zero is a character device and no image.");
    expect(() => openImage("/nonexistent/initrd")).toThrow("There is no image /nonexistent/initrd.");
    expect(() => openImage("/etc")).toThrow("/etc is a directory and no image.");
  });
});
