/** Bars and their labels in rows, so that nothing lies on anything else. */

import { type Scale, fitting, lengthWords, placeOf, widthOf } from "./scale.ts";
import type { Entry } from "./record.ts";

/** The size of labels in pixels. */
export const LABEL_SIZE = 11;

/** Something on the chart: a bar, or a mark where nothing took time. All numbers are pixels but the row. */
export interface Bar {
  readonly kind: "bar" | "mark" | "open";
  readonly row: number;
  readonly left: number;
  readonly right: number;
  /** Where its wait for its turn begins. */
  readonly queue: number | undefined;
  readonly label: string;
  readonly place: "inside" | "behind" | "before";
  /** Where the label begins; where it ends when it stands before its bar. */
  readonly label_at: number;
  /** All there is to say, for the pointer of a mouse. */
  readonly tip: string;
}

export interface Packed {
  readonly bars: readonly Bar[];
  readonly rows: number;
  /** What there was no room for. */
  readonly left_out: readonly Entry[];
}

/** Puts entries into at most `most_rows` rows. What does not fit is left out: what took no time first, then the shortest. */
export function pack(entries: readonly Entry[], scale: Scale, most_rows: number): Packed {
  const byWeight = entries.toSorted((a, b) => lengthOf(b, scale) - lengthOf(a, scale));
  // The most that fit, found by halving.
  let [fits, tooMany] = [0, entries.length + 1];
  while (tooMany - fits > 1) {
    const count = Math.floor((fits + tooMany) / 2);
    if (placeAll(inOrder(byWeight.slice(0, count)), scale, most_rows) === undefined) tooMany = count;
    else fits = count;
  }
  const bars = placeAll(inOrder(byWeight.slice(0, fits)), scale, most_rows) ?? [];
  return {
    bars,
    rows: bars.reduce((rows, { row }) => Math.max(rows, row + 1), 0),
    left_out: inOrder(byWeight.slice(fits)),
  };
}

/** How long an entry took, one that has not ended until the end of the axis. */
export function lengthOf({ from_us, to_us }: Entry, scale: Scale): number {
  return (to_us ?? scale.to_us) - from_us;
}

function inOrder(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => began(a) - began(b) || (b.to_us ?? Infinity) - (a.to_us ?? Infinity));
}

function began({ asked_us, from_us }: Entry): number {
  return asked_us ?? from_us;
}

// Undefined when it takes more rows.
function placeAll(entries: readonly Entry[], scale: Scale, most_rows: number): Bar[] | undefined {
  // Where each row is taken: in order of time, so that only the last pieces matter to bars, but labels may stand before.
  const taken: Extent[][] = [];
  const bars: Bar[] = [];
  let last = 0;
  for (const entry of entries) {
    const bar = barOf(entry, scale);
    const extent = extentOf(bar);
    // Downwards as long as there are rows, so that what follows each other looks like it.
    const order = [...taken.keys()].map((row) => (last + row) % taken.length);
    const row = order.find((one) => isFree(taken[one] ?? [], extent)) ?? taken.length;
    if (row >= most_rows) return undefined;
    last = row;
    (taken[row] ??= []).push(extent);
    bars.push({ ...bar, row });
  }
  return bars;
}

function isFree(row: readonly Extent[], [first, last]: Extent): boolean {
  return row.every(([left, right]) => last <= left || right <= first);
}

type Extent = readonly [left: number, right: number];

const GAP = 8;

function extentOf({ left, right, queue, label, place, label_at }: Omit<Bar, "row">): Extent {
  const width = widthOf(label, LABEL_SIZE);
  const label_left = place === "before" ? label_at - width : label_at;
  return [Math.min(left, queue ?? left, label_left) - GAP / 2, Math.max(right, label_left + width) + GAP / 2];
}

const MARK_HALF = 4;

function barOf(entry: Entry, scale: Scale): Omit<Bar, "row"> {
  const { from_us, to_us, asked_us, name, note } = entry;
  const isMark = to_us === from_us;
  const at = placeOf(scale, from_us);
  const middle = Math.min(Math.max(at, scale.left + MARK_HALF), scale.right - MARK_HALF);
  const left = isMark ? middle - MARK_HALF : Math.min(at, scale.right - 1);
  const right = isMark ? middle + MARK_HALF : Math.max(placeOf(scale, to_us ?? scale.to_us), left + 1);
  const queue = asked_us === undefined ? undefined : Math.min(placeOf(scale, asked_us), left);
  const length = isMark ? "" : ` ${lengthWords(lengthOf(entry, scale))}`;
  const remark = note === undefined || note === "status 0" ? "" : ` (${note})`;
  return {
    kind: isMark ? "mark" : to_us === undefined ? "open" : "bar",
    left,
    right,
    queue,
    tip: `${name}${remark}\n${seconds(from_us)}${isMark ? "" : ` to ${to_us === undefined ? "the end" : seconds(to_us)}:${length}`}${
      asked_us === undefined || asked_us === from_us
        ? ""
        : `, after${` ${lengthWords(from_us - asked_us)}`} in the queue`
    }`,
    ...placeLabel({ name, tail: `${length}${remark}`, first: queue ?? left, left, right }, scale),
  };
}

function seconds(time_us: number): string {
  return `${(time_us / 1e6).toFixed(4)} s`;
}

const PADDING = 4;
const LONGEST_NAME = 400;
const LONGEST_TAIL = 240;

/** The label goes into its bar, or else behind it, or before it: wherever it fits whole, or the most of it. */
function placeLabel(
  {
    name,
    tail,
    first,
    left,
    right,
  }: { name: string; tail: string; first: number; left: number; right: number },
  scale: Scale,
): Pick<Bar, "label" | "place" | "label_at"> {
  const end = fitting(tail, LABEL_SIZE, LONGEST_TAIL);
  const whole = fitting(name, LABEL_SIZE, LONGEST_NAME) + end;
  const width = widthOf(whole, LABEL_SIZE);
  if (width + 2 * PADDING <= right - left) return { label: whole, place: "inside", label_at: left + PADDING };
  const [before, behind] = [first - PADDING - scale.left, scale.right - right - PADDING];
  const isBehind = width <= behind || behind >= before;
  const shown = fitting(whole, LABEL_SIZE, isBehind ? behind : before);
  return isBehind
    ? { label: shown, place: "behind", label_at: right + PADDING }
    : { label: shown, place: "before", label_at: first - PADDING };
}
