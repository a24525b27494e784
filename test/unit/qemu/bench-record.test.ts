import { expect, test } from "bun:test";
import type { BenchRow } from "../../../qemu/bench/boot.ts";
import { mergeRecord, regressions } from "../../../qemu/bench/record.ts";

const row = (name: string, total: number): BenchRow => ({
  name,
  image_mb: 66.54,
  to_init: 1,
  to_real_init: total - 1,
  total,
  spread: undefined,
});

test("a row that is slower than its record by more than 5 % is told", () => {
  const record = mergeRecord({}, [row("rdinit, a", 2), row("rdinit, b", 2), row("dracut", 2)]);
  expect(regressions(record, [row("rdinit, a", 2.1), row("dracut", 9), row("rdinit, new", 9)])).toEqual([]);
  expect(regressions(record, [row("rdinit, b", 2.2)])).toEqual([
    "rdinit, b takes 2.200 s, 10.0 % more than the 2.000 s of the record.",
  ]);
});

test("rows that were not measured stay in the record", () => {
  const record = mergeRecord({ z: { total: 1, image_mb: 2 } }, [row("a", 1.23456)]);
  expect(Object.entries(record)).toEqual([
    ["a", { total: 1.235, image_mb: 66.5 }],
    ["z", { total: 1, image_mb: 2 }],
  ]);
});

test("a name that objects have by themselves is no record", () => {
  expect(regressions({}, [row("rdinit constructor", 1), row("constructor", 1)])).toEqual([]);
});
