/** Keeps when what was done, in memory, until it is written (save.ts). */

import type { Syscalls } from "../../../syscalls/index.ts";
import { type BootRecord, type Entry, type Lane, RECORD_FORMAT, RECORD_VERSION } from "../../chart/record.ts";
import { text } from "../../lib/bytes.ts";
import type { Word } from "../cmdline/cmdline.ts";
import { readTimingSettings } from "./settings.ts";
import { type Span, type Timing, noTiming } from "./timing.ts";

/** A boot as it began. */
export interface Beginning {
  /** The kernel command line, a byte string. */
  readonly line: string;
  /** CLOCK_MONOTONIC at the first instruction, when the stub has noted it. */
  readonly started_ns: bigint | undefined;
  /** performance.now() at the first line of the program. */
  readonly program_ms: number;
}

/** A recorder that knows the way to the first line of the program, or none when `words` do not ask for one. */
export function startTiming(sys: Syscalls, words: readonly Word[], beginning: Beginning): Timing {
  if (!readTimingSettings(words).on) return noTiming;
  const begun_ms = performance.now();
  const now_us = clockOf(sys);
  const since_us = now_us() - performance.now() * 1000;
  const runtime_us = Math.round(since_us);
  const program_us = Math.round(since_us + beginning.program_ms * 1000);
  const init_us =
    beginning.started_ns === undefined
      ? runtime_us
      : Math.min(Math.floor(Number(beginning.started_ns) / 1000), runtime_us);
  const recorder = new Recorder(now_us, { kernel: sys.uname().release, line: beginning.line, init_us });
  recorder.add("step", "the entry stub and the loader", init_us, runtime_us);
  recorder.add("step", "the runtime starts", runtime_us, program_us);
  const begun_us = Math.round(since_us + begun_ms * 1000);
  recorder.add("step", "reading the parameters", program_us, begun_us);
  recorder.add("step", "beginning this record", begun_us, now_us());
  return recorder;
}

// A machine that only just booted was never suspended: its two clocks that count from the start are one.
function clockOf(sys: Syscalls): () => number {
  const offset_us = Number(sys.boottime()) / 1000 - performance.now() * 1000;
  return () => Math.round(offset_us + performance.now() * 1000);
}

/** What bounds the file, should devices come and go without an end. */
const MOST_ENTRIES = 20_000;

type Open = { -readonly [Key in keyof Entry]: Entry[Key] };

export class Recorder implements Timing {
  readonly isOn = true;
  private readonly now_us: () => number;
  private readonly about: { readonly kernel: string; readonly line: string; readonly init_us: number };
  private readonly entries: Open[] = [];
  private readonly queued = new Set<Open>();
  private left_out = 0;

  constructor(
    now_us: () => number,
    about: { readonly kernel: string; readonly line: string; readonly init_us: number },
  ) {
    this.now_us = now_us;
    this.about = about;
  }

  mark(lane: Lane, name: string, note?: string): void {
    const at_us = this.now_us();
    this.add(lane, name, at_us, at_us, note);
  }

  begin(lane: Lane, name: string): Span {
    const entry = this.add(lane, name, this.now_us());
    return { starts: () => undefined, ends: (note) => this.end(entry, note) };
  }

  // It is written as a line that leads nowhere until its turn has come.
  queue(lane: Lane, name: string): Span {
    const asked_us = this.now_us();
    const entry = this.add(lane, name, asked_us);
    this.queued.add(entry);
    const starts = (): void => {
      if (!this.queued.delete(entry)) return;
      entry.asked_us = asked_us;
      entry.from_us = this.now_us();
    };
    return {
      starts,
      ends: (note) => {
        const never = this.queued.has(entry);
        starts();
        if (never) entry.to_us = entry.from_us;
        this.end(entry, note);
      },
    };
  }

  private end(entry: Open, note: string | undefined): void {
    entry.to_us ??= this.now_us();
    if (note !== undefined) entry.note = note;
  }

  step<T>(name: string, work: () => T): T {
    const span = this.begin("step", name);
    const failed = (): void => span.ends("failed");
    try {
      const result = work();
      if (result instanceof Promise) void result.then(() => span.ends(), failed);
      else span.ends();
      return result;
    } catch (error) {
      failed();
      throw error;
    }
  }

  /** Takes in what is known to have been. */
  add(lane: Lane, name: string, from_us: number, to_us?: number, note?: string): Open {
    const entry: Open = { lane, name, from_us };
    if (to_us !== undefined) entry.to_us = to_us;
    if (note !== undefined) entry.note = note;
    if (this.entries.length < MOST_ENTRIES) this.entries.push(entry);
    else this.left_out += 1;
    return entry;
  }

  /** All of it, as it is now. */
  record(outcome: string): BootRecord {
    const { kernel, line, init_us } = this.about;
    const end_us = this.now_us();
    const asIs = (entry: Open): Entry =>
      this.queued.has(entry)
        ? { ...entry, asked_us: entry.from_us, from_us: end_us, to_us: end_us, note: "not begun" }
        : entry;
    return {
      format: RECORD_FORMAT,
      version: RECORD_VERSION,
      kernel,
      command_line: text(line),
      outcome: escaped(outcome),
      init_us,
      end_us,
      left_out: this.left_out,
      entries: this.entries.map((entry) => legible(asIs(entry))).toSorted((a, b) => began(a) - began(b)),
    };
  }
}

function began({ asked_us, from_us }: Entry): number {
  return asked_us ?? from_us;
}

function legible(entry: Entry): Entry {
  const { lane, name, note, ...times } = entry;
  return { lane, name: short(name), ...(note === undefined ? {} : { note: short(note) }), ...times };
}

// A command may have hundreds of arguments.
function short(words: string): string {
  const whole = escaped(words);
  return whole.length <= 240 ? whole : `${whole.slice(0, 239)}…`;
}

function escaped(words: string): string {
  return words.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}
