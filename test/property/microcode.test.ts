import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseCpuinfo } from "../../src/image/cpuinfo.ts";
import { MicrocodeError, readAmdMicrocode, readIntelMicrocode } from "../../src/image/microcode-files.ts";
import { makeAmdContainer, makeIntelUpdate } from "../fixtures/microcode.ts";

const signature = fc.nat(2 ** 32 - 1);
const intel = fc
  .record({ signature, others: fc.array(signature, { maxLength: 5 }), dataSize: fc.constant(976 + 1024) })
  // The whole is a multiple of 1024.
  .map(({ others, dataSize, ...update }) => ({
    ...update,
    others,
    dataSize: others.length === 0 ? dataSize : dataSize - 20 - 12 * others.length,
  }));
const mark = fc.integer({ min: 1, max: 5 });
const amd = fc.record({
  processors: fc.array(fc.record({ signature: fc.integer({ min: 1, max: 2 ** 32 - 1 }), mark }), {
    maxLength: 5,
  }),
  patches: fc.array(fc.record({ mark, size: fc.integer({ min: 64, max: 200 }) }), { maxLength: 5 }),
});

test("Intel's updates are for whom they say", () => {
  fc.assert(
    fc.property(fc.array(intel, { minLength: 1, maxLength: 4 }), (updates) => {
      const found = readIntelMicrocode(Buffer.concat(updates.map(makeIntelUpdate)));
      const expected = updates.flatMap((update) => [update.signature, ...update.others]);
      expect([...found].sort()).toEqual([...new Set(expected)].sort());
    }),
  );
});

test("AMD's containers are for whom they have a patch", () => {
  fc.assert(
    fc.property(fc.array(amd, { minLength: 1, maxLength: 4 }), (containers) => {
      const found = readAmdMicrocode(Buffer.concat(containers.map(makeAmdContainer)));
      const expected = containers.flatMap(({ processors, patches }) =>
        processors.filter((one) => patches.some((patch) => patch.mark === one.mark)),
      );
      expect([...found].sort()).toEqual([...new Set(expected.map((one) => one.signature))].sort());
    }),
  );
});

test("a changed byte of an update of Intel's is always found", () => {
  const update = makeIntelUpdate({ signature: 0x806e9, others: [1, 2] });
  fc.assert(
    fc.property(fc.nat(update.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Uint8Array.from(update);
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      expect(() => readIntelMicrocode(bytes)).toThrow(MicrocodeError);
    }),
  );
});

test("damaged files are refused or read, and never anything else", () => {
  const files = [
    makeIntelUpdate({ signature: 5, others: [6, 7] }),
    makeAmdContainer({ processors: [{ signature: 5, mark: 1 }], patches: [{ mark: 1 }, { mark: 2 }] }),
  ];
  const change = fc.tuple(fc.nat(1100), fc.constantFrom(0, 1, 2, 0x40, 0x80, 0xff));
  fc.assert(
    fc.property(fc.nat(1), fc.array(change, { maxLength: 5 }), fc.nat(1100), (which, changes, length) => {
      const bytes = Uint8Array.from(files[which] ?? []).subarray(0, length);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      for (const read of [readIntelMicrocode, readAmdMicrocode])
        try {
          expect(read(bytes).size).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(MicrocodeError);
        }
    }),
    { numRuns: 5000 },
  );
});

test("any text is read as /proc/cpuinfo", () => {
  const word = fc.constantFrom(
    "cpu family",
    "model",
    "stepping",
    "flags",
    "vendor_id",
    "\t: ",
    "6",
    "999",
    "\n",
    "\n\n",
    " ",
    "x",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      for (const { signature: found } of parseCpuinfo(words.join("")).processors)
        expect(found).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 3000 },
  );
});
