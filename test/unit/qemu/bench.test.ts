import { expect, test } from "bun:test";
import { median } from "../../../qemu/bench/boot.ts";
import { formatBuild, formatRow, worthwhileBelow_mb_s } from "../../../qemu/bench/table.ts";

test("formatRow lines its columns up", () => {
  const row = { name: "x", image_mb: 1.25, to_init: 1, to_real_init: 0.5, total: 1.5, spread: 0.001 };
  expect(formatRow(row)).toHaveLength(formatRow(undefined).length);
  expect(formatRow(row).trim().split(/\s+/)).toEqual(["x", "1.3", "1.000", "0.500", "1.500", "0.001"]);
});

test("formatBuild lines its columns up, and says what was not measured", () => {
  const row = { name: "x", seconds: 1.234, image_mb: 100.06, command: "x --make" };
  expect(formatBuild(row)).toHaveLength(formatBuild(undefined).length);
  expect(formatBuild(row).trim().split(/\s+/)).toEqual(["x", "1.23", "100.1"]);
  expect(formatBuild({ name: "y", why: "no root" })).toEndWith("  not measured: no root");
});

test("a compressed image wins on disks that are read slowly", () => {
  expect(worthwhileBelow_mb_s({ image_mb: 160, total: 4 }, { image_mb: 60, total: 4.5 })).toBe(200);
  expect(worthwhileBelow_mb_s({ image_mb: 160, total: 4 }, { image_mb: 160, total: 4 })).toBeUndefined();
  expect(worthwhileBelow_mb_s({ image_mb: 60, total: 4 }, { image_mb: 160, total: 5 })).toBeUndefined();
});

test("median is the middle one, or the lower of the two", () => {
  expect([[3, 1, 2], [2, 1], [5]].map(median)).toEqual([2, 1, 5]);
});
