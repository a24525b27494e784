/** Times as places on the axis and as words, and how wide words are. */

/** Where on the picture a time is. */
export interface Scale {
  readonly from_us: number;
  readonly to_us: number;
  /** The pixels of both. */
  readonly left: number;
  readonly right: number;
}

/** The place of a time; one that is not on the axis is at its end. */
export function placeOf({ from_us, to_us, left, right }: Scale, time_us: number): number {
  const share = (time_us - from_us) / Math.max(to_us - from_us, 1);
  return left + Math.min(Math.max(share, 0), 1) * (right - left);
}

/** Round times on the axis, at most `most` of them: steps of 1, 2 or 5 with zeros. */
export function ticksOf({ from_us, to_us }: Scale, most: number): number[] {
  const step_us = STEPS_US.find((step) => (to_us - from_us) / step < most) ?? LONGEST_STEP_US;
  const ticks: number[] = [];
  for (
    let tick = Math.ceil(from_us / step_us) * step_us;
    tick <= to_us && ticks.length < most;
    tick += step_us
  )
    ticks.push(tick);
  return ticks;
}

const STEPS_US = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();
const LONGEST_STEP_US = 1e12;

/** A time on the axis: "1.25 s", with as many digits as ticks so far apart need. */
export function tickWords(time_us: number, step_us: number): string {
  const digits = Math.min(Math.max(Math.ceil(-Math.log10(step_us / 1e6) - 1e-9), 0), 6);
  return `${(time_us / 1e6).toFixed(digits)} s`;
}

/** How long something took: "1.23 s", "45 ms", "3.1 ms", "0.02 ms". */
export function lengthWords(length_us: number): string {
  if (length_us >= 999_500) return `${(length_us / 1e6).toFixed(2)} s`;
  if (length_us >= 9950) return `${Math.round(length_us / 1000)} ms`;
  return `${(length_us / 1000).toFixed(length_us >= 95 ? 1 : 2)} ms`;
}

/** How wide a line is at most, in pixels, in the sans-serif typefaces of browsers: DejaVu Sans and Verdana are the widest. */
export function widthOf(line: string, size: number): number {
  let units = 0;
  for (const character of line) units += unitsOf(character);
  return (units / 100) * size;
}

function unitsOf(character: string): number {
  if (character > "\u2e80") return 105;
  if (" .,:;'|!ijl".includes(character)) return 36;
  if ('()[]-/ftrI"'.includes(character)) return 45;
  if ("mwMW@%—…".includes(character)) return 102;
  return character >= "A" && character <= "Z" ? 78 : 66;
}

/** The line, or its beginning and "…" when it is wider than `most` pixels. */
export function fitting(line: string, size: number, most: number): string {
  if (widthOf(line, size) <= most) return line;
  let kept = "";
  let width = widthOf("…", size);
  for (const character of line) {
    width += widthOf(character, size);
    if (width > most) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
