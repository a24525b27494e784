import { expect, test } from "bun:test";
import type { BenchRow } from "../../../qemu/bench/boot.ts";
import { median } from "../../../qemu/bench/boot.ts";
import {
  BOOT_COLUMNS,
  BUILD_COLUMNS,
  bootCells,
  buildCells,
  goalCells,
  worthwhileBelow_mb_s,
} from "../../../qemu/bench/cells.ts";
import { MARKDOWN, TERMINAL } from "../../../qemu/bench/table.ts";

const boot: BenchRow = {
  name: "ext4, x",
  image_mb: 1.25,
  to_init: 1,
  to_real_init: 0.5,
  total: 1.5,
  spread: 0.001,
  free_mb: 900.04,
  smallest_mb: 128,
};

test("the columns of a terminal stand below their heads", () => {
  const [head = ""] = TERMINAL.head(BOOT_COLUMNS);
  const [row = ""] = TERMINAL.row(bootCells("x", boot));
  expect(row).toHaveLength(head.length);
  expect(row.trim().split(/\s+/)).toEqual(["x", "1.3", "1.000", "0.500", "1.500", "0.001", "900.0", "128"]);
  expect(TERMINAL.missing({ name: "y", why: "no root" }, 8)).toEqual([
    `${"y".padEnd(30)}  not measured: no root`,
  ]);
});

test("a table in Markdown has as many bars in each line", () => {
  const build = { name: "x|y", seconds: 1.234, cpu_s: 2, image_mb: 100.06, command: "x --make" };
  const lines = [
    ...MARKDOWN.head(BUILD_COLUMNS),
    ...MARKDOWN.row(buildCells(build)),
    ...MARKDOWN.missing({ name: "z", why: "no root" }, BUILD_COLUMNS.length),
  ];
  expect(lines).toEqual([
    "| builder | seconds | of processors | image MB |",
    "| --- | --- | --- | --- |",
    "| x\\|y | 1.23 | 2.00 | 100.1 |",
    "| z | no root |  |  |",
  ]);
});

test("what was not looked for is a dash", () => {
  const cells = bootCells("x", { ...boot, spread: undefined, smallest_mb: undefined });
  expect([cells[5], cells[7]]).toEqual(["-", "-"]);
});

test("a goal that is not met says by how much", () => {
  const goal = { name: "x", limit: 100, unit: "ms" } as const;
  expect(goalCells({ ...goal, measured: 100 })).toEqual(["x", "100 ms", "100 ms", "yes"]);
  expect(goalCells({ ...goal, measured: 112.34 })).toEqual(["x", "100 ms", "112.3 ms", "no, by 12.3 ms"]);
  expect(goalCells({ name: "x", limit: 2.3, measured: 2.4864, unit: "s" })).toEqual([
    "x",
    "2.3 s",
    "2.486 s",
    "no, by 0.186 s",
  ]);
});

test("a compressed image wins on disks that are read slowly", () => {
  expect(worthwhileBelow_mb_s({ image_mb: 160, total: 4 }, { image_mb: 60, total: 4.5 })).toBe(200);
  expect(worthwhileBelow_mb_s({ image_mb: 160, total: 4 }, { image_mb: 160, total: 4 })).toBeUndefined();
  expect(worthwhileBelow_mb_s({ image_mb: 60, total: 4 }, { image_mb: 160, total: 5 })).toBeUndefined();
});

test("median is the middle one, or the lower of the two", () => {
  expect([[3, 1, 2], [2, 1], [5]].map(median)).toEqual([2, 1, 5]);
});
