/**
 * The figures of an earlier benchmark, qemu/bench/record.json, for a boot that has become slower to be noticed. Virtual
 * time is the same on every machine with the same QEMU, kernel and tools, so a few per cent are no accident.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchRow } from "./boot.ts";

/** By the name of a row: seconds in all, and the image's size. */
export type BenchRecord = Readonly<Record<string, { readonly total: number; readonly image_mb: number }>>;

/** What a row may be slower than the record before it counts as a regression. */
export const TOLERANCE = 0.05;

const FILE = join(import.meta.dir, "record.json");

/** The record; empty when none was written. */
export function readRecord(): BenchRecord {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as BenchRecord) : {};
}

/** Writes the record with these rows; rows that were not measured stay as they were. */
export function writeRecord(rows: readonly BenchRow[]): void {
  writeFileSync(FILE, `${JSON.stringify(mergeRecord(readRecord(), rows), null, 2)}\n`);
}

/** `record` with these rows in place of those of the same names, in the order of the names. */
export function mergeRecord(record: BenchRecord, rows: readonly BenchRow[]): BenchRecord {
  const fresh = rows.map(
    ({ name, total, image_mb }) => [name, { total: round(total, 3), image_mb: round(image_mb, 1) }] as const,
  );
  const all = new Map([...Object.entries(record), ...fresh]);
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A sentence for each of rdinit's rows that is slower than its record by more than TOLERANCE. */
export function regressions(record: BenchRecord, rows: readonly BenchRow[]): string[] {
  return rows.flatMap(({ name, total }) => {
    const before = Object.hasOwn(record, name) ? record[name] : undefined;
    if (!name.includes("rdinit") || before === undefined || total <= before.total * (1 + TOLERANCE))
      return [];
    const more = ((total / before.total - 1) * 100).toFixed(1);
    return [
      `${name} takes ${total.toFixed(3)} s, ${more} % more than the ${before.total.toFixed(3)} s of the record.`,
    ];
  });
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
