/** A record as a picture: what stands where, in pixels. */

import { LANE_STYLES } from "./lanes.ts";
import { type Bar, lengthOf, pack } from "./pack.ts";
import { type BootRecord, type Entry, LANES, type Lane } from "./record.ts";
import { type LaneTotal, totalsOf } from "./totals.ts";
import { type Scale, fitting, lengthWords, placeOf, ticksOf, tickWords, widthOf } from "./scale.ts";

export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** The kernel command line, in lines that fit. */
  readonly command: readonly string[];
  readonly totals: readonly Total[];
  readonly ticks: readonly Tick[];
  /** The rows of the bars are between these heights. */
  readonly top: number;
  readonly bottom: number;
  readonly bands: readonly Band[];
  readonly sections: readonly Section[];
}

export interface Tick {
  readonly x: number;
  readonly words: string;
  /** The middle of its words, which stay on the paper. */
  readonly words_x: number;
}

/** How long something took in all, with its colour. */
export interface Total {
  readonly lane: Lane;
  readonly words: string;
  readonly x: number;
  readonly y: number;
}

/** A time in which others were at work: the kernel before /init, a person. */
export interface Band {
  readonly lane: Lane;
  readonly left: number;
  readonly right: number;
}

export interface Section {
  readonly lane: Lane;
  readonly title: string;
  /** The baseline of its title. */
  readonly y: number;
  /** The top of its first row. */
  readonly rows_y: number;
  readonly bars: readonly Bar[];
}

export const WIDTH = 1500;
export const MARGIN = 24;
export const ROW = 17;
export const SIZES = { title: 19, command: 12, total: 12, tick: 11, section: 13 };
const HEAD = 30;
const COMMAND_LINE = 16;
const MOST_COMMAND_LINES = 4;

/** What stands where, for the time from `from_us` to the record's end. */
export function layOut(record: BootRecord, from_us = 0): Chart {
  const scale: Scale = {
    from_us,
    to_us: Math.max(record.end_us, from_us + 1),
    left: MARGIN,
    right: WIDTH - MARGIN,
  };
  const kernel: Entry = { lane: "kernel", name: "the kernel until /init", from_us: 0, to_us: record.init_us };
  const seen = [kernel, ...record.entries].filter((entry) => isSeen(entry, scale));
  const command = wrap(record.command_line, SIZES.command, WIDTH - 2 * MARGIN, MOST_COMMAND_LINES);
  const totals_y = MARGIN + HEAD + command.length * COMMAND_LINE + 14;
  const totals = placeTotals(totalsOf(record, scale.to_us), totals_y);
  const top = (totals.at(-1)?.y ?? totals_y) + 34;
  const { sections, bottom } = placeSections(seen, scale, record.left_out, top + 8);
  const ticks = ticksOf(scale, 16);
  const step_us = (ticks[1] ?? 1e6) - (ticks[0] ?? 0);
  return {
    width: WIDTH,
    height: bottom + 36,
    title: titleOf(record, from_us),
    command,
    totals,
    ticks: ticks.map((tick) => placeTick(placeOf(scale, tick), tickWords(tick, step_us))),
    top,
    bottom,
    bands: bandsOf(record, scale),
    sections,
  };
}

// A bar that ends where the axis begins is none.
function isSeen({ from_us, to_us }: Entry, axis: Scale): boolean {
  return (to_us ?? axis.to_us) > axis.from_us || (from_us === to_us && from_us >= axis.from_us);
}

function placeTick(x: number, words: string): Tick {
  const half = widthOf(words, SIZES.tick) / 2;
  return { x, words, words_x: Math.min(Math.max(x, half), WIDTH - half) };
}

function titleOf({ kernel, outcome, end_us }: BootRecord, from_us: number): string {
  const since = from_us > 0 ? `, from ${(from_us / 1e6).toFixed(2)} s on` : "";
  const words = `Linux ${kernel}: ${(end_us / 1e6).toFixed(2)} s – ${outcome}${since}`;
  return fitting(words, SIZES.title, WIDTH - 2 * MARGIN);
}

function placeSections(
  entries: readonly Entry[],
  scale: Scale,
  unrecorded: number,
  top: number,
): { sections: Section[]; bottom: number } {
  const sections: Section[] = [];
  let y = top;
  for (const lane of LANES) {
    const own = entries.filter((entry) => entry.lane === lane);
    if (own.length === 0) continue;
    const { bars, rows, left_out } = pack(own, scale, LANE_STYLES[lane].most_rows);
    const title = sectionTitle(lane, own, left_out, scale);
    sections.push({ lane, title, y: y + 15, rows_y: y + 22, bars });
    y += 22 + rows * ROW + 14;
  }
  if (unrecorded > 0) {
    const title = `… and ${unrecorded} more that the record had no room for`;
    sections.push({ lane: "kernel", title, y: y + 15, rows_y: y + 22, bars: [] });
    y += 30;
  }
  return { sections, bottom: y };
}

function sectionTitle(lane: Lane, all: readonly Entry[], left_out: readonly Entry[], scale: Scale): string {
  const count = all.length > 1 ? ` (${all.length})` : "";
  const lost_us = left_out.reduce((sum, entry) => sum + lengthOf(entry, scale), 0);
  const long = lost_us > 0 ? ` of ${lengthWords(lost_us)} together` : "";
  const more = left_out.length === 0 ? "" : `, … and ${left_out.length} more${long} that are not shown`;
  return `${LANE_STYLES[lane].title}${count}${more}`;
}

// The kernel and a person keep others waiting, and their time is nobody's of rdinit.
function bandsOf(record: BootRecord, scale: Scale): Band[] {
  const persons = record.entries.filter(({ lane }) => lane === "person");
  const times: [Lane, number, number][] = [
    ["kernel", 0, record.init_us],
    ...persons.map(({ from_us, to_us }): [Lane, number, number] => [
      "person",
      from_us,
      to_us ?? record.end_us,
    ]),
  ];
  return times
    .map(([lane, from_us, to_us]) => ({ lane, left: placeOf(scale, from_us), right: placeOf(scale, to_us) }))
    .filter(({ left, right }) => right - left >= 1);
}

function placeTotals(totals: readonly LaneTotal[], first_y: number): Total[] {
  let [x, y] = [MARGIN, first_y];
  return totals.map(({ lane, length_us, idle_us = 0 }) => {
    const idle = idle_us > 0 ? `, ${lengthWords(idle_us)} of it while nothing was at work` : "";
    const words = `${LANE_STYLES[lane].total} ${lengthWords(length_us)}${idle}`;
    const width = 16 + widthOf(words, SIZES.total) + 22;
    if (x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + 18];
    const total = { lane, words, x, y };
    x += width;
    return total;
  });
}

/** Words in lines of at most `most` pixels; the last of `lines` ends in "…" when there is more. */
function wrap(words: string, size: number, most: number, lines: number): string[] {
  const wrapped: string[] = [];
  let line = "";
  for (const word of words.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer, size) <= most || line === "") line = longer;
    else {
      wrapped.push(line);
      line = word;
    }
  }
  wrapped.push(line);
  const shown = wrapped.slice(0, lines);
  if (wrapped.length > lines) shown.push(`${shown.pop() ?? ""} …`);
  return shown.map((one) => fitting(one, size, most));
}
