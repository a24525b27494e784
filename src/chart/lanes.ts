/** What the lanes of a chart are called, look like and may take. */

import type { Lane } from "./record.ts";

export interface LaneStyle {
  readonly title: string;
  /** For the line of totals: how long it was at it. */
  readonly total: string;
  /** Dark enough for white words on it, and light enough to be seen on black. */
  readonly colour: string;
  /** What does not fit in so many rows is counted. */
  readonly most_rows: number;
}

export const LANE_STYLES: Readonly<Record<Lane, LaneStyle>> = {
  kernel: { title: "Kernel", total: "the kernel until /init", colour: "#6b7683", most_rows: 12 },
  step: { title: "Steps", total: "rdinit", colour: "#2f6fb3", most_rows: 40 },
  module: { title: "Modules", total: "loading modules", colour: "#a85a0c", most_rows: 60 },
  device: { title: "Devices", total: "devices", colour: "#23784b", most_rows: 16 },
  child: { title: "Children", total: "children at work", colour: "#8250b8", most_rows: 40 },
  wait: { title: "Waits", total: "waiting", colour: "#7d6b00", most_rows: 12 },
  network: { title: "Network", total: "the network", colour: "#0b7a83", most_rows: 16 },
  person: { title: "Questions to a person", total: "a person's time", colour: "#c23552", most_rows: 12 },
};
