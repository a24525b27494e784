/** When what was done: what the steps of the boot tell a recorder, which is none unless rd.timing asks for it. */

import type { BootRecord, Lane } from "../../chart/record.ts";

/** What every step is given as `boot.timing`. Names are fit for people (text(), lib/bytes.ts), and never hold a secret. */
export interface Timing {
  /** False when nothing is kept: then nothing need be found out for it either. */
  readonly isOn: boolean;
  /** This happened now. */
  mark(lane: Lane, name: string, note?: string): void;
  /** This begins now. */
  begin(lane: Lane, name: string): Span;
  /** This is asked for now, and begins when its turn comes. */
  queue(lane: Lane, name: string): Span;
  /** Does a step of the boot, and keeps when it began and ended; gives what `work` gives. */
  step<T>(name: string, work: () => T): T;
  /** All that was kept until now, with what comes of the boot: "handing over to /sbin/init"; undefined when nothing is kept. */
  record(outcome: string): BootRecord | undefined;
}

/** Something that has begun. */
export interface Span {
  /** Its turn has come: what was queued begins. */
  starts(): void;
  /** It ends now; `note` says how: "status 1". */
  ends(note?: string): void;
}

const noSpan: Span = { starts: () => undefined, ends: () => undefined };

/** Keeps nothing. */
export const noTiming: Timing = {
  isOn: false,
  mark: () => undefined,
  begin: () => noSpan,
  queue: () => noSpan,
  step: (_name, work) => work(),
  record: () => undefined,
};
