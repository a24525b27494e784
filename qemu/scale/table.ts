/** The boots of the scale benchmark, and what becomes of their figures. */

import { type BenchOptions, measure } from "../bench/boot.ts";
import type { ScaleRecord } from "../bench/record.ts";
import type { Missing } from "../bench/table.ts";
import type { Kernel } from "../kernel.ts";
import { DIMENSIONS, type Dimension } from "./dimensions.ts";
import { MOST_STEEPER, cost_ms, steeper } from "./growth.ts";
import type { Panel, Point } from "./plot.ts";

/** One contender over all sizes. */
export interface ScaleRow {
  readonly who: string;
  readonly points: readonly Point[];
}

/** Boots of this dimension, a contender after the other; the times are from the start of /init to the real init. */
export async function* scaleTable(
  dimension: Dimension,
  kernel: Kernel,
  runs: number,
): AsyncGenerator<ScaleRow | Missing> {
  for (const who of dimension.who) {
    const points: Point[] = [];
    for (const size of dimension.sizes) {
      const options: BenchOptions | undefined = await dimension.boot(kernel, who, size);
      if (options === undefined) break;
      const name = `${dimension.name} ${size}, ${who}`;
      const { to_real_init } = await measure({ ...options, name, runs });
      points.push({ x: size, seconds: to_real_init });
    }
    yield points.length === 0 ? { name: who, why: "only root can build its image" } : { who, points };
  }
}

/** The columns of a dimension. */
export function scaleColumns({ sizes, unit }: Dimension): string[] {
  return ["initramfs", ...sizes.map((size) => `${size} ${unit}`), "ms for each", "last steeper"];
}

/** The cells of a row: seconds for each size, what one more takes, and how much more than before it does in the end. */
export function scaleCells({ who, points }: ScaleRow): string[] {
  const times = steeper(points);
  return [
    who,
    ...points.map(({ seconds }) => seconds.toFixed(3)),
    cost_ms(points).toFixed(3),
    times === undefined ? "-" : `${times.toFixed(2)} times`,
  ];
}

/** A sentence when rdinit's times grow worse than linearly. */
export function worseThanLinear(dimension: Dimension, { who, points }: ScaleRow): string | undefined {
  const times = steeper(points);
  if (who !== "rdinit" || times === undefined || times <= MOST_STEEPER) return undefined;
  return (
    `Boots of rdinit with ${dimension.sizes.at(-1)} ${dimension.unit} grow worse than linearly: ` +
    `one more costs ${times.toFixed(1)} times what it cost before.`
  );
}

/** The panels of the picture, from the record. */
export function panelsOf(record: ScaleRecord): Panel[] {
  return DIMENSIONS.flatMap(({ name, title, unit }) => {
    const rows = Object.hasOwn(record, name) ? record[name] : undefined;
    if (rows === undefined) return [];
    const curves = Object.entries(rows).map(([who, points]) => ({
      name: who,
      points: points.map(([x, seconds]) => ({ x, seconds })),
    }));
    return [{ title, unit, curves }];
  });
}
