import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseKernelImage } from "../../../src/image/bzimage.ts";
import { parsePe, PeError, peSection, type PeImage } from "../../../src/image/pe.ts";
import { checksum, withSection, writePe } from "../../../src/image/pe-writer.ts";
import { makeKernel, makePe, makeStub } from "../../fixtures/pe.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

const SYSTEMD_STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
const dir = temporaryDirectory();

/** The sections as binutils sees them: what of each is in the file, and where it is in memory. */
function objdump(file: Uint8Array): { name: string; size: number; address: number }[] {
  const path = join(dir, "program.efi");
  writeFileSync(path, file);
  const { stdout, stderr } = Bun.spawnSync(["objdump", "-h", path], { env: { ...process.env, LC_ALL: "C" } });
  expect(stderr.toString()).toBe("");
  // It shows addresses as they are when the image lies where it was linked for.
  const view = new DataView(file.buffer, file.byteOffset);
  const base = Number(view.getBigUint64(view.getUint32(0x3c, true) + 24 + 24, true));
  return [...stdout.toString().matchAll(/^ +\d+ (\S+) +([0-9a-f]+) +([0-9a-f]+) /gm)].map(
    ([, name = "", size = "", address = ""]) => ({
      name,
      size: Number.parseInt(size, 16),
      address: Number.parseInt(address, 16) - base,
    }),
  );
}

function sectionsOf(image: PeImage): { name: string; size: number; address: number }[] {
  return image.sections.map(({ name, data, virtualAddress }) => ({
    name,
    size: data.length,
    address: virtualAddress,
  }));
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("latin1");

describe("systemd's stub", () => {
  const bytes = Uint8Array.from(readFileSync(SYSTEMD_STUB));
  const image = parsePe(bytes);

  test("is read as objdump reads it", () => {
    expect(image).toMatchObject({ machine: 0x8664, subsystem: 10, isSigned: false });
    expect(sectionsOf(image)).toEqual(objdump(bytes));
  });

  const view = new DataView(bytes.buffer.slice(0));
  const checksumAt = view.getUint32(0x3c, true) + 24 + 64;
  const linked = view.getUint32(checksumAt, true);
  // That of systemd 254 and later leaves it out, which makes it zero.
  test.skipIf(linked === 0)("has the checksum that its linker wrote", () => {
    view.setUint32(checksumAt, 0, true);
    expect(checksum(new Uint8Array(view.buffer))).toBe(linked);
  });

  test("written again, it is the same but for its symbols", () => {
    const written = writePe(image, 0);
    expect(sectionsOf(parsePe(written))).toEqual(sectionsOf(image));
    expect(written.length).toBeLessThan(bytes.length);
    // The parsed sections share memory with the file, so compare what they hold.
    for (const [index, { data }] of parsePe(written).sections.entries())
      expect(Buffer.compare(data, image.sections[index]?.data ?? new Uint8Array(0))).toBe(0);
  });

  test("with sections of ours, it is what objdump expects", () => {
    const data = Buffer.alloc(1000, "x");
    const characteristics = 0x4000_0040;
    const larger = withSection(withSection(image, { name: ".one", data, characteristics }), {
      ...{ name: ".two", data, characteristics },
      virtualSize: 100_000,
    });
    const written = writePe(larger, 1_700_000_000);
    const [one, two] = objdump(written).slice(-2);
    expect(one).toMatchObject({ name: ".one", size: 1000 });
    expect(two).toMatchObject({ name: ".two" });
    const { sizeOfImage, sectionAlignment } = parsePe(written);
    expect((two?.address ?? 0) % sectionAlignment).toBe(0);
    expect(sizeOfImage).toBeGreaterThanOrEqual((two?.address ?? 0) + 100_000);
    expect(sizeOfImage % sectionAlignment).toBe(0);
    const listing = Bun.spawnSync(["objdump", "-p", join(dir, "program.efi")], {
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
    expect(listing.stdout.toString()).toContain("Tue Nov 14 22:13:20 2023");
  });
});

describe("parsePe", () => {
  const good = { sections: [{ name: ".text", data: "code" }] };
  const cases: readonly (readonly [what: string, file: Uint8Array, message: string])[] = [
    ["an empty file", new Uint8Array(0), "it is no EFI program"],
    ["a script", Buffer.from("#!/bin/sh\n"), "it is no EFI program"],
    ["a program for DOS", Buffer.from("MZ".padEnd(100, "\0")), "it is no EFI program"],
    ["a header far away", Buffer.from(`MZ${"\xff".repeat(100)}`, "latin1"), "it is no EFI program"],
    ["32 bits", makePe({ ...good, magic: 0x10b }), "it is no 64-bit EFI program"],
    ["no sections", makePe({ sections: [] }), "it has 0 sections"],
    [
      "an alignment of 5000",
      makePe({ ...good, alignment: [5000, 0x200] }),
      "its sections are aligned to 5000 bytes",
    ],
    [
      "an alignment of 2 GiB",
      makePe({ ...good, alignment: [2 ** 31, 0x200] }),
      "aligned to 2147483648 bytes",
    ],
    ["a missing end", makePe(good).subarray(0, 0x200), "it is cut short"],
  ];
  for (const [what, file, message] of cases)
    test(`${what}: ${message}`, () => {
      expect(() => parsePe(file)).toThrow(PeError);
      expect(() => parsePe(file)).toThrow(message);
    });

  test("cut anywhere, a file is cut short", () => {
    const file = makePe(good);
    for (let length = 2; length < 0x200 + 4; length++)
      expect(() => parsePe(file.subarray(0, length))).toThrow(PeError);
  });

  test("what fills a section up in the file is no part of it", () => {
    expect(text(peSection(parsePe(makePe(good)), ".text"))).toBe("code");
    expect(peSection(parsePe(makePe(good)), ".data")).toBeUndefined();
  });
});

describe("writePe", () => {
  const many = Array.from({ length: 20 }, (_, index) => ({ name: `.s${index}`, data: `section ${index}` }));

  test("headers that grow move the sections in the file, not in memory", () => {
    const [first, ...others] = many;
    let image = parsePe(makePe({ sections: first ? [first] : [] }));
    for (const { name, data } of others)
      image = withSection(image, { name, data: Buffer.from(data), characteristics: 0x4000_0040 });
    const again = parsePe(writePe(image, 0));
    expect(again.sections.map(({ name, data }) => [name, text(data)])).toEqual(
      many.map(({ name, data }) => [name, data]),
    );
    expect(again.sections[0]?.virtualAddress).toBe(0x1000);
  });

  test("headers that would reach into the first section are refused", () => {
    const image = parsePe(makePe({ sections: many, firstAddress: 0x400 }));
    expect(() => writePe(image, 0)).toThrow("its headers have no room for 20 sections");
  });

  test("a signed program is refused", () => {
    const directories = [{ index: 4, address: 0x400, size: 8 }];
    const image = parsePe(makePe({ sections: many, directories }));
    expect(() => writePe(image, 0)).toThrow("it is signed");
  });

  test("a program does not get larger than memory addresses", () => {
    const image = parsePe(makePe({ sections: many, firstAddress: 0xfff0_0000 }));
    const section = { name: ".big", data: Buffer.from("x"), virtualSize: 0x10_0000, characteristics: 0 };
    expect(() => withSection(image, section)).toThrow("it would be larger than 4 GiB");
  });

  test("debug data that move are found where they are", () => {
    const entry = new DataView(new ArrayBuffer(28));
    // 16 bytes of debug data, 0x20 bytes into the second section.
    entry.setUint32(16, 16, true);
    entry.setUint32(20, 0x2020, true);
    entry.setUint32(24, 0xdead, true);
    const image = parsePe(
      makePe({
        sections: [
          { name: ".rdata", data: new Uint8Array(entry.buffer) },
          { name: ".data", data: `${"-".repeat(0x20)}RSDSabcdefghijkl` },
        ],
        directories: [{ index: 6, address: 0x1000, size: 28 }],
      }),
    );
    const written = writePe(image, 0);
    const [debug] = parsePe(written).sections;
    const place = new DataView(written.buffer, debug?.data.byteOffset).getUint32(24, true);
    expect(text(written.subarray(place, place + 8))).toBe("RSDSabcd");
  });
});

describe("parseKernelImage", () => {
  test("finds the release, the longest command line and the memory that the kernel takes", () => {
    const kernel = parseKernelImage(
      makeKernel({ release: "6.9.7+x", commandLineSize: 4095, sizeOfImage: 77 }),
    );
    expect(kernel).toMatchObject({ release: "6.9.7+x", longestCommandLine: 4095 });
    expect(kernel.program.sizeOfImage).toBe(77);
  });

  test("a kernel that does not tell its release has none", () => {
    const file = makeKernel();
    const pointer = new DataView(file.buffer);
    pointer.setUint16(0x20e, 0, true);
    expect(parseKernelImage(file).release).toBeUndefined();
    pointer.setUint16(0x20e, 0xffff, true);
    expect(parseKernelImage(file).release).toBeUndefined();
    expect(parseKernelImage(makeKernel({ release: "" })).release).toBeUndefined();
  });

  test("what a firmware can't start is said to be so", () => {
    const without = makeKernel();
    without.set([0xea, 0x05], 0);
    expect(() => parseKernelImage(without)).toThrow("it was built without CONFIG_EFI_STUB");
    expect(() => parseKernelImage(makeKernel({ machine: 0xaa64 }))).toThrow("it is not for x86-64");
    expect(() => parseKernelImage(makeStub())).toThrow("it is no bzImage");
    expect(() => parseKernelImage(new Uint8Array(0))).toThrow("it is no bzImage");
    expect(() => parseKernelImage(makeKernel().subarray(0, 0x300))).toThrow("it is cut short");
  });
});
