/** What stands in the columns of the benchmark's tables. */

import type { BenchRow } from "./boot.ts";
import type { BuildRow } from "./build.ts";
import type { Goal } from "./goals.ts";

export const BOOT_COLUMNS: readonly string[] = [
  "initramfs",
  "image MB",
  "to /init",
  "to real init",
  "in all",
  "spread",
  "MB free",
  "least MB",
];

/** The cells of a boot; `name` is without what the title of the table says already. */
export function bootCells(name: string, row: BenchRow): string[] {
  const seconds = [row.to_init, row.to_real_init, row.total].map((value) => value.toFixed(3));
  const smallest = row.smallest_mb === undefined ? "-" : String(row.smallest_mb);
  return [
    name,
    row.image_mb.toFixed(1),
    ...seconds,
    row.spread?.toFixed(3) ?? "-",
    row.free_mb.toFixed(1),
    smallest,
  ];
}

export const BUILD_COLUMNS: readonly string[] = ["builder", "seconds", "of processors", "image MB"];

export function buildCells(row: BuildRow): string[] {
  return [row.name, row.seconds.toFixed(2), row.cpu_s.toFixed(2), row.image_mb.toFixed(1)];
}

export const GOAL_COLUMNS: readonly string[] = ["goal", "at most", "measured", "met"];

/** The cells of a goal; what is not met says by how much. */
export function goalCells({ name, limit, measured, unit }: Goal): string[] {
  const met = measured <= limit ? "yes" : `no, by ${formatAmount(measured - limit, unit)}`;
  return [name, formatAmount(limit, unit), formatAmount(measured, unit), met];
}

function formatAmount(value: number, unit: Goal["unit"]): string {
  return `${Number(value.toFixed(unit === "s" ? 3 : 1))} ${unit}`;
}

/**
 * From how slow a disk on this compressed image boots sooner than `plain`, which takes less time to unpack and
 * more to read; undefined when it is never so. The boots that are measured read their image in no time.
 */
export function worthwhileBelow_mb_s(plain: Size, compressed: Size): number | undefined {
  const [saved_mb, cost] = [plain.image_mb - compressed.image_mb, compressed.total - plain.total];
  return saved_mb > 0 && cost > 0 ? saved_mb / cost : undefined;
}

type Size = Pick<BenchRow, "image_mb" | "total">;
