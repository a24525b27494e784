/** The tables of the benchmark as text. */

import type { BenchRow } from "./boot.ts";
import type { BuildRow } from "./build.ts";

/** A row for what could not be measured. */
export interface Missing {
  readonly name: string;
  readonly why: string;
}

/** A row of boot times, or the head of their table. */
export function formatRow(row: BenchRow | Missing | undefined): string {
  if (row === undefined)
    return line("initramfs", ["image MB", "to /init", "to real init", "in all", "spread"]);
  if ("why" in row) return missing(row);
  const seconds = [row.to_init, row.to_real_init, row.total].map((value) => value.toFixed(3));
  return line(row.name, [row.image_mb.toFixed(1), ...seconds, row.spread?.toFixed(3) ?? "-"]);
}

/** A row of what builds take, or the head of their table. */
export function formatBuild(row: BuildRow | Missing | undefined): string {
  if (row === undefined) return line("builder", ["seconds", "image MB"]);
  if ("why" in row) return missing(row);
  return line(row.name, [row.seconds.toFixed(2), row.image_mb.toFixed(1)]);
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

function line(name: string, cells: readonly string[]): string {
  return name.padEnd(30) + cells.map((cell) => cell.padStart(13)).join("");
}

function missing({ name, why }: Missing): string {
  return `${name.padEnd(30)}  not measured: ${why}`;
}
