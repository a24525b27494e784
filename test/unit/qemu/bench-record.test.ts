import { expect, test } from "bun:test";
import type { BenchRow } from "../../../qemu/bench/boot.ts";
import { type BenchRecord, mergeRecord, otherVersions, regressions } from "../../../qemu/bench/record.ts";

const row = (name: string, total: number, more: Partial<BenchRow> = {}): BenchRow => ({
  name,
  image_mb: 66.54,
  to_init: 1,
  to_real_init: total - 1,
  total,
  spread: undefined,
  free_mb: 900,
  ...more,
});

const none: BenchRecord = { made_with: {}, boots: {} };

test("a row that is slower than its record by more than 5 % is told", () => {
  const record = mergeRecord(none, [row("rdinit, a", 2), row("rdinit, b", 2), row("dracut", 2)], {});
  expect(regressions(record, [row("rdinit, a", 2.1), row("dracut", 9), row("rdinit, new", 9)])).toEqual([]);
  expect(regressions(record, [row("rdinit, b", 2.2)])).toEqual([
    "rdinit, b takes 2.200 s, 10.0 % more than the 2.000 s of the record.",
  ]);
});

test("an image that grew and memory by more than a step are told too", () => {
  const record = mergeRecord(none, [row("rdinit", 2, { image_mb: 50, smallest_mb: 160 })], {});
  expect(regressions(record, [row("rdinit", 2, { image_mb: 52, smallest_mb: 176 })])).toEqual([]);
  expect(regressions(record, [row("rdinit", 2, { image_mb: 60, smallest_mb: 192 })])).toEqual([
    "rdinit has an image of 60.0 MB, 20.0 % more than the 50.0 MB of the record.",
    "rdinit wants 192 MB of memory, 32 MB more than by the record.",
  ]);
});

test("rows that were not measured stay in the record, and memory that was not looked for", () => {
  const old = { to_init: 1, total: 1, image_mb: 2, free_mb: 3, smallest_mb: 64 };
  const record = mergeRecord({ made_with: {}, boots: { z: old, a: old } }, [row("a", 1.23456)], {
    QEMU: "7",
  });
  expect(record.made_with).toEqual({ QEMU: "7" });
  expect(Object.entries(record.boots)).toEqual([
    ["a", { to_init: 1, total: 1.235, image_mb: 66.5, free_mb: 900, smallest_mb: 64 }],
    ["z", old],
  ]);
});

test("a name that objects have by themselves is no record", () => {
  expect(regressions(none, [row("rdinit constructor", 1), row("constructor", 1)])).toEqual([]);
});

test("a record of other versions says so, and which", () => {
  const record: BenchRecord = { made_with: { QEMU: "7.2", kernel: "6.1" }, boots: {} };
  expect(otherVersions(record, { QEMU: "7.2", kernel: "6.1", Bun: "1" })).toBeUndefined();
  expect(otherVersions(record, { QEMU: "9.0", kernel: "6.1" })).toBe(
    "The record was made with QEMU 7.2 and not 9.0: its figures are not compared with these.",
  );
  expect(otherVersions(none, { QEMU: "9.0" })).toBeUndefined();
});
