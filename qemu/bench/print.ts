/** Prints the tables of the benchmark row by row, as they are measured. */

import type { Kernel } from "../kernel.ts";
import type { Dimension } from "../scale/dimensions.ts";
import { scaleCells, scaleColumns, scaleTable, worseThanLinear } from "../scale/table.ts";
import type { BenchRow } from "./boot.ts";
import { BOOT_COLUMNS, bootCells } from "./cells.ts";
import { type BenchSettings, scenarioTable } from "./rows.ts";
import type { Scenario } from "./scenarios.ts";
import type { Format, Missing } from "./table.ts";

/** What the tables are printed with. */
export interface Bench extends BenchSettings {
  readonly kernel: Kernel;
  readonly format: Format;
  /** All boots so far, those of other tables as well. */
  readonly boots: BenchRow[];
  /** By dimension, then by contender, and sentences about what grows too fast. */
  readonly scale: Record<string, Record<string, (readonly [number, number])[]>>;
  readonly tooSteep: string[];
}

/** How boots grow with something. */
export async function printScale(bench: Bench, dimension: Dimension): Promise<void> {
  const columns = scaleColumns(dimension);
  title(bench, `${dimension.title}: virtual seconds from /init to the real init`, dimension.name);
  print(bench.format.head(columns));
  const rows: Record<string, (readonly [number, number])[]> = {};
  for await (const row of scaleTable(dimension, bench.kernel, bench.runs ?? 1)) {
    if ("why" in row) {
      print(bench.format.missing(row, columns.length));
      continue;
    }
    print(bench.format.row(scaleCells(row)));
    rows[row.who] = row.points.map(({ x, seconds }) => [x, Number(seconds.toFixed(3))] as const);
    const words = worseThanLinear(dimension, row);
    if (words !== undefined) bench.tooSteep.push(words);
  }
  bench.scale[dimension.name] = rows;
}

/** All that can bring up a root. */
export async function printScenario(bench: Bench, scenario: Scenario): Promise<void> {
  title(bench, `${scenario.title}, virtual seconds`, scenario.name);
  await printBoots(bench, scenarioTable(scenario, bench.kernel, bench));
}

/** The head of a table, with the name by which it is asked for. */
export function title({ format }: Bench, words: string, name: string): void {
  print(format.title(words, `bun qemu/bench.ts ${name}`));
}

/** Lines of the output. */
export function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

/** Prints rows as they come; returns those that were measured. */
export async function printBoots(
  { format, boots }: Bench,
  rows: AsyncIterable<BenchRow | Missing>,
): Promise<readonly BenchRow[]> {
  const measured: BenchRow[] = [];
  print(format.head(BOOT_COLUMNS));
  for await (const row of rows) {
    if ("why" in row) {
      print(format.missing(row, BOOT_COLUMNS.length));
      continue;
    }
    measured.push(row);
    boots.push(row);
    // The title has said what stands before the comma.
    print(format.row(bootCells(row.name.replace(/^.*?, /, ""), row)));
  }
  return measured;
}
