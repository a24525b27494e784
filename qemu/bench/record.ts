/**
 * The figures of an earlier benchmark, qemu/bench/record.json, for a boot that has become slower to be noticed. Virtual
 * time is the same on every machine with the same QEMU, kernel and tools, so a few per cent are no accident.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchRow } from "./boot.ts";
import { STEP_MB } from "./smallest.ts";

/** What a boot was recorded with: seconds, and megabytes. */
export interface RecordedBoot {
  readonly to_init: number;
  readonly total: number;
  readonly image_mb: number;
  readonly free_mb: number;
  readonly smallest_mb?: number | undefined;
}

export interface BenchRecord {
  /** What the figures depend on besides rdinit: versions by name. */
  readonly made_with: Readonly<Record<string, string>>;
  /** By the name of a row. */
  readonly boots: Readonly<Record<string, RecordedBoot>>;
  readonly scale?: ScaleRecord;
}

/** By dimension, then by contender: pairs of a size and seconds from the start of /init to the real init. */
export type ScaleRecord = Readonly<
  Record<string, Readonly<Record<string, readonly (readonly [number, number])[]>>>
>;

/** What a row may take more than the record before it counts as a regression. */
export const TOLERANCE = 0.05;

const FILE = join(import.meta.dir, "record.json");

/** The record; empty when none was written. */
export function readRecord(): BenchRecord {
  return existsSync(FILE)
    ? (JSON.parse(readFileSync(FILE, "utf8")) as BenchRecord)
    : { made_with: {}, boots: {} };
}

/** Writes the record with these rows; rows that were not measured stay as they were. Returns all of it. */
export function writeRecord(
  rows: readonly BenchRow[],
  scale: ScaleRecord,
  madeWith: BenchRecord["made_with"],
): BenchRecord {
  const before = readRecord();
  const record = { ...mergeRecord(before, rows, madeWith), scale: { ...before.scale, ...scale } };
  const json = JSON.stringify(record, null, 2);
  // A pair of numbers fits a line.
  writeFileSync(FILE, `${json.replaceAll(/\[\s+([\d.]+),\s+([\d.]+)\s+\]/g, "[$1, $2]")}\n`);
  return record;
}

/** `record` with these rows in place of those of the same names, in the order of the names. */
export function mergeRecord(
  record: BenchRecord,
  rows: readonly BenchRow[],
  madeWith: BenchRecord["made_with"],
): BenchRecord {
  const all = new Map(Object.entries(record.boots));
  for (const row of rows) {
    const smallest_mb = row.smallest_mb ?? all.get(row.name)?.smallest_mb;
    all.set(row.name, {
      to_init: round(row.to_init, 3),
      total: round(row.total, 3),
      image_mb: round(row.image_mb, 1),
      free_mb: round(row.free_mb, 1),
      ...(smallest_mb === undefined ? {} : { smallest_mb }),
    });
  }
  const boots = Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { made_with: madeWith, boots };
}

/** The figures of a row in the record, by its name. */
export function recordOf({ boots }: BenchRecord, name: string): RecordedBoot | undefined {
  return Object.hasOwn(boots, name) ? boots[name] : undefined;
}

/**
 * A sentence for each thing of rdinit's rows that has become worse: time and size by more than TOLERANCE, the least
 * memory by more than a step.
 */
export function regressions(record: BenchRecord, rows: readonly BenchRow[]): string[] {
  return rows.flatMap((row) => {
    const { name } = row;
    const before = recordOf(record, name);
    if (!name.includes("rdinit") || before === undefined) return [];
    const compared = [
      { does: "takes", now: row.total, was: before.total, unit: "s", digits: 3 },
      { does: "has an image of", now: row.image_mb, was: before.image_mb, unit: "MB", digits: 1 },
    ];
    const sentences = compared.flatMap(({ does, now, was, unit, digits }) => {
      if (now <= was * (1 + TOLERANCE)) return [];
      const more = ((now / was - 1) * 100).toFixed(1);
      return `${name} ${does} ${now.toFixed(digits)} ${unit}, ${more} % more than the ${was.toFixed(digits)} ${unit} of the record.`;
    });
    const [now = 0, was = now] = [row.smallest_mb, before.smallest_mb];
    if (now > was + STEP_MB)
      sentences.push(`${name} wants ${now} MB of memory, ${now - was} MB more than by the record.`);
    return sentences;
  });
}

/**
 * A sentence when the record was made with other versions of what the figures depend on, which then say little about
 * rdinit; undefined otherwise.
 */
export function otherVersions(record: BenchRecord, madeWith: BenchRecord["made_with"]): string | undefined {
  const differing = Object.entries(record.made_with).filter(([name, version]) => madeWith[name] !== version);
  if (differing.length === 0) return undefined;
  const list = differing.map(([name, version]) => `${name} ${version} and not ${madeWith[name] ?? "none"}`);
  return `The record was made with ${list.join(", ")}: its figures are not compared with these.`;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
