/**
 * The record of a boot: what rd.timing leaves in /run/rdinit/timing.json, and `rdinit chart` draws.
 *
 * It is one JSON object of the fields of `BootRecord` below; `entries` in the order in which they began, one a line. All
 * times are whole microseconds of CLOCK_MONOTONIC, which begins with the kernel. A reader refuses another `version`; it
 * becomes another when a field changes its meaning or goes.
 */

/** What things are, in the order of the chart. */
export const LANES = ["kernel", "step", "module", "device", "child", "wait", "network", "person"] as const;

export type Lane = (typeof LANES)[number];

export const RECORD_FORMAT = "rdinit-timing";
export const RECORD_VERSION = 1;

export interface BootRecord {
  readonly format: typeof RECORD_FORMAT;
  readonly version: typeof RECORD_VERSION;
  /** The kernel's release: "6.1.0-37-amd64". */
  readonly kernel: string;
  readonly command_line: string;
  /** How it ended: "handing over to /sbin/init", or the sentence about what failed. */
  readonly outcome: string;
  /** The first instruction of /init. */
  readonly init_us: number;
  /** When this was written. */
  readonly end_us: number;
  /** How many entries there was no room for. */
  readonly left_out: number;
  readonly entries: readonly Entry[];
}

/** Something that took time, or just happened. Texts are fit for people: control characters are escaped. */
export interface Entry {
  readonly lane: Lane;
  readonly name: string;
  /** What else there is to say, how it ended above all: "status 1". */
  readonly note?: string;
  /** When it was asked for, if it had to wait for its turn. */
  readonly asked_us?: number;
  readonly from_us: number;
  /** The same as `from_us` for what takes no time; left out when it had not ended by `end_us`. */
  readonly to_us?: number;
}
