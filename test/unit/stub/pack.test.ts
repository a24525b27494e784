import { expect, test } from "bun:test";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatHotPages, packForRecording, parseHotPages } from "../../../src/stub/pack.ts";
import { loadSegments } from "../../../src/stub/segments.ts";

test("a list of pages is read as it was written", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 100_000 })), (numbers) => {
      const list = { program: "0123456789abcdef", pages: new Set(numbers) };
      const read = parseHotPages(formatHotPages(list));
      expect(read.program).toBe(list.program);
      expect([...read.pages].sort()).toEqual(numbers.toSorted());
    }),
  );
});

test("ranges are written short, and comments are passed over", () => {
  expect(formatHotPages({ program: "ab", pages: new Set([3, 1, 2, 9]) })).toBe("program ab\n1-3\n9\n");
  expect([...parseHotPages("# words\nprogram ab\n1-3\n\n9\n").pages]).toEqual([1, 2, 3, 9]);
});

test("the committed list names pages of the runtime that is installed", () => {
  const list = parseHotPages(readFileSync(join(import.meta.dir, "../../../src/stub/hot-pages.txt"), "utf8"));
  const segments = loadSegments(readFileSync(process.execPath), "bun");
  const holds = (page: number): boolean =>
    segments.some(
      (s) => page * 4096 + 4096 > Number(s.address) && page * 4096 < Number(s.address + s.memorySize),
    );
  expect(list.pages.size).toBeGreaterThan(1000);
  expect([...list.pages].filter((page) => !holds(page))).toEqual([]);
});

test("the windows of a program hold every byte of its read-only segments", () => {
  const program = readFileSync(process.execPath);
  const { regions, windows, runs, segments } = packForRecording(program);
  expect(runs).toEqual([]);
  expect(regions.map((region) => region.protection)).toEqual([1, 5]);
  expect(segments).toEqual(loadSegments(program, "bun").slice(2));
  const whole = Buffer.concat(windows);
  const [first] = loadSegments(program, "bun");
  expect(whole.length).toBe(regions.reduce((sum, { start, end }) => sum + end - start, 0));
  expect(
    Buffer.compare(whole.subarray(0, Number(first?.fileSize)), program.subarray(0, Number(first?.fileSize))),
  ).toBe(0);
});
