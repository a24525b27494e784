import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseKernelImage } from "../../src/image/bzimage.ts";
import { parsePe, PeError, type PeImage } from "../../src/image/pe.ts";
import { checksum, withSection, writePe } from "../../src/image/pe-writer.ts";
import { makeUki } from "../../src/image/uki.ts";
import { UserError } from "../../src/lib/errors.ts";
import { makeKernel, makePe, makeStub } from "../fixtures/pe.ts";

const section = fc.record({
  name: fc.string({ unit: fc.constantFrom(..."abc.\xff"), minLength: 1, maxLength: 8 }),
  data: fc.uint8Array({ maxLength: 1200 }),
  virtualSize: fc.nat(20_000),
  characteristics: fc.nat(2 ** 31),
});
const alignment = fc
  .tuple(fc.integer({ min: 5, max: 13 }), fc.integer({ min: 5, max: 10 }))
  .map(([memory, file]) => [2 ** memory, 2 ** file] as const);

/** What a loader makes of it: the sections' memory, with zeros behind what is in the file. */
function loaded({ sections }: PeImage): unknown[] {
  return sections.map(({ name, virtualAddress, virtualSize, data, characteristics }) => {
    const memory = Buffer.alloc(virtualSize);
    memory.set(data);
    return { name, virtualAddress, memory: memory.toString("latin1"), characteristics };
  });
}

test("a program with more sections is loaded as it was, and they behind it", () => {
  const sections = fc.array(section, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sections, fc.array(section, { maxLength: 30 }), alignment, (first, more, aligned) => {
      const image = parsePe(makePe({ sections: first, alignment: aligned, firstAddress: 0x4000 }));
      const larger = more.reduce<PeImage>(withSection, image);
      const written = writePe(larger, 0);
      const again = parsePe(written);
      expect(loaded(again)).toEqual(loaded(larger));
      expect(loaded(again).slice(0, first.length)).toEqual(loaded(image));
      const added = again.sections.slice(first.length);
      for (const [index, { data }] of more.entries())
        expect(Buffer.compare(added[index]?.data.subarray(0, data.length) ?? Buffer.alloc(0), data)).toBe(0);
      for (const { virtualAddress } of added) expect(virtualAddress % aligned[0]).toBe(0);
      const ends = again.sections.map(({ virtualAddress, virtualSize }) => virtualAddress + virtualSize);
      expect(again.sizeOfImage).toBeGreaterThanOrEqual(Math.max(...ends));
      expect(Buffer.compare(writePe(again, 0), written)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("the checksum is that of the words one by one", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      let sum = 0;
      for (let at = 0; at < bytes.length; at += 2) {
        sum += (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
        sum = (sum & 0xffff) + (sum >>> 16);
      }
      expect(checksum(bytes)).toBe(sum + bytes.length);
    }),
  );
});

const change = fc.tuple(fc.nat(0x700), fc.constantFrom(0, 1, 2, 0x40, 0x7f, 0x80, 0xff));
const changes = fc.array(change, { maxLength: 5 });

function damaged(file: Uint8Array, by: readonly (readonly [number, number])[], length: number): Uint8Array {
  const bytes = Uint8Array.from(file).subarray(0, length);
  for (const [at, value] of by) if (at < bytes.length) bytes[at] = value;
  return bytes;
}

test("a damaged file is refused or read, and never anything else", () => {
  const files = [makeStub(), makeKernel(), makePe({ sections: [{ name: ".text", data: "x" }] })];
  fc.assert(
    fc.property(fc.nat(2), changes, fc.nat(4000), (which, by, length) => {
      const bytes = damaged(files[which] ?? new Uint8Array(0), by, length);
      for (const read of [() => writePe(parsePe(bytes), 0), () => parseKernelImage(bytes)])
        try {
          read();
        } catch (error) {
          expect(error).toBeInstanceOf(PeError);
        }
    }),
    { numRuns: 5000 },
  );
});

test("of damaged parts comes a UKI that can be read, or a sentence", () => {
  const [stub, kernel] = [makeStub(), makeKernel()];
  fc.assert(
    fc.property(changes, changes, fc.nat(6000), (ofStub, ofKernel, length) => {
      const parts = {
        stub: { path: "/stub", data: damaged(stub, ofStub, length) },
        linux: { path: "/vmlinuz", data: damaged(kernel, ofKernel, 10_000) },
        initrds: [{ path: "/image", data: Buffer.from("image") }],
      };
      try {
        const { sections } = parsePe(makeUki(parts, 0).file);
        expect(sections.map(({ name }) => name).slice(-2)).toEqual([".initrd", ".linux"]);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 2000 },
  );
});
