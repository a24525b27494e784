import { expect, test } from "bun:test";
import fc from "fast-check";
import { withoutHoles } from "../../../src/stub/holes.ts";
import { PAGE, type Segment } from "../../../src/stub/segments.ts";

/** What lies at the segments' addresses once the kernel has mapped them: the file's bytes, and zeros behind. */
function mapped(file: Uint8Array, segments: readonly Segment[]): Map<number, Uint8Array> {
  return new Map(
    segments.map((s) => {
      const memory = new Uint8Array(Number(s.memorySize));
      memory.set(file.subarray(Number(s.offset), Number(s.offset + s.fileSize)));
      return [Number(s.address), memory];
    }),
  );
}

test("pieces cover what the segment covered, with the same bytes, and have no long stretch of zeros in the file", () => {
  const stretch = fc.record({ pages: fc.integer({ min: 1, max: 80 }), isZero: fc.boolean() });
  const lead = fc.integer({ min: 0, max: PAGE - 1 });
  const sizes = fc.record({ tail: fc.integer({ min: 1, max: PAGE }), bss: fc.nat(3 * PAGE) });
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 6 }), lead, sizes, (stretches, start, { tail, bss }) => {
      const filled = stretches.map(({ pages, isZero }) =>
        new Uint8Array(pages * PAGE).fill(isZero ? 0 : 0xaa),
      );
      const file = Buffer.concat([new Uint8Array(PAGE).fill(1), ...filled, new Uint8Array(tail).fill(2)]);
      const fileSize = BigInt(file.length - start);
      const segment: Segment = {
        ...{ type: 1, flags: 4, align: BigInt(PAGE), offset: BigInt(start) },
        ...{ address: BigInt(0x200000 + start), fileSize, memorySize: fileSize + BigInt(bss) },
      };
      const pieces = withoutHoles(file, segment);

      const memory = mapped(file, pieces);
      let next = 0x200000 + start;
      for (const [address, bytes] of memory) {
        expect(address).toBe(next);
        next += bytes.length;
      }
      const [whole] = mapped(file, [segment]).values();
      expect(Buffer.compare(Buffer.concat([...memory.values()]), whole ?? new Uint8Array())).toBe(0);
      for (const piece of pieces) {
        expect(piece.offset % BigInt(PAGE)).toBe(piece.address % BigInt(PAGE));
        const inFile = file.subarray(Number(piece.offset), Number(piece.offset + piece.fileSize));
        expect(inFile.includes(Buffer.alloc(33 * PAGE))).toBe(false);
      }
    }),
    { numRuns: 60 },
  );
});

test("a program's segment without such a stretch stays one", () => {
  const file = Buffer.alloc(40 * PAGE, 7);
  const segment: Segment = {
    ...{ type: 1, flags: 6, align: BigInt(PAGE), offset: 0n, address: 0x400000n },
    ...{ fileSize: BigInt(file.length), memorySize: BigInt(file.length + 100) },
  };
  expect(withoutHoles(file, segment)).toEqual([segment]);
});
