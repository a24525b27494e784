/** What a boot spent its time with, in all. */

import type { BootRecord, Entry, Lane } from "./record.ts";

/** What the legend says of a lane, in microseconds. */
export interface LaneTotal {
  readonly lane: Lane;
  readonly length_us: number;
  /** Of a wait: how long nothing else was at work meanwhile. */
  readonly idle_us?: number;
}

/** How long each was at it, times in which several were counted once; the kernel's until /init, and all of rdinit's. */
export function totalsOf(record: BootRecord, to_us: number): LaneTotal[] {
  const spent_us = (...lanes: readonly Lane[]): number =>
    unionOf(
      record.entries.filter(({ lane }) => lanes.includes(lane)),
      to_us,
    );
  const busy: readonly LaneTotal[] = [
    { lane: "module", length_us: spent_us("module") },
    { lane: "child", length_us: spent_us("child") },
    { lane: "network", length_us: spent_us("network") },
    { lane: "person", length_us: spent_us("person") },
    {
      lane: "wait",
      length_us: spent_us("wait"),
      idle_us: spent_us("wait", ...WORKERS) - spent_us(...WORKERS),
    },
  ];
  return [
    { lane: "kernel", length_us: record.init_us },
    { lane: "step", length_us: record.end_us - record.init_us },
    ...busy.filter(({ length_us }) => length_us > 0),
  ];
}

const WORKERS: readonly Lane[] = ["module", "child", "network", "person"];

function unionOf(entries: readonly Entry[], end_us: number): number {
  let [sum_us, reached_us] = [0, 0];
  for (const { from_us, to_us = end_us } of entries.toSorted((a, b) => a.from_us - b.from_us)) {
    if (to_us > reached_us) sum_us += to_us - Math.max(from_us, reached_us);
    reached_us = Math.max(reached_us, to_us);
  }
  return sum_us;
}
