/** Waiting in the open: with an event, a deadline, and a word on the console. */

import type { Boot } from "./context.ts";
import type { Span } from "./timing/timing.ts";

/** How long a wait may stay silent. */
export const silence_ms = { normal: 1000, quiet: 3000 };

export interface Wait<T> {
  /** Looks whether the wait is over: a value ends it. */
  readonly look: () => Promise<T | undefined>;
  /** Resolves when it is worth looking again. */
  readonly changed: () => Promise<void>;
  /** What is waited for; read when it may be shown, and shown when it differs. Undefined says nothing now. */
  readonly describe: () => Promise<string | undefined>;
  /** What is there so far: shown behind it when it differs from what was shown last. */
  readonly detail?: () => Promise<string>;
  /** Undefined waits for ever. */
  readonly timeout_ms: number | undefined;
  /**
   * While this is true the deadline does not come nearer: somebody else works on what is waited for, whose end makes
   * `changed` resolve.
   */
  readonly isHeld?: () => boolean;
}

/** Waits until `look` has a value; undefined when the deadline came first. */
export async function waitInTheOpen<T>(boot: Boot, wait: Wait<T>): Promise<T | undefined> {
  const kept: { span?: Span } = {};
  const value = await waitUntil(boot, wait, kept);
  kept.span?.ends(value === undefined ? "in vain" : undefined);
  return value;
}

async function waitUntil<T>(boot: Boot, wait: Wait<T>, kept: { span?: Span }): Promise<T | undefined> {
  const started = performance.now();
  const elapsed_ms = (): number => performance.now() - started;
  const silent_ms = boot.options.quiet ? silence_ms.quiet : silence_ms.normal;
  const isHeld = wait.isHeld ?? (() => false);
  let shown: Word = { word: "", detail: "" };
  let held_ms = 0;
  for (;;) {
    // Asked for before the look: what changes during it is not missed.
    const changed = wait.changed();
    const value = await wait.look();
    if (value !== undefined) return value;
    // Asked for after the look: what only looked as well is done by now.
    const wasHeld = isHeld();
    const round = performance.now();
    const left_ms =
      wait.timeout_ms === undefined || wasHeld
        ? Number.POSITIVE_INFINITY
        : wait.timeout_ms - (elapsed_ms() - held_ms);
    if (left_ms <= 0) return undefined;
    if (elapsed_ms() >= silent_ms) {
      const next = await describeNow(wait, shown);
      const words = wordsOf(next, shown);
      if (words !== "") boot.log.notice(withDeadline(words, left_ms));
      shown = next;
    }
    const next_ms = shown.word === "" ? Math.max(silent_ms - elapsed_ms(), 1) : longestTimer_ms;
    if (boot.timing.isOn) await keepBeginning(boot, wait, kept);
    await firstOf(changed, Math.min(left_ms, next_ms));
    if (wasHeld) held_ms += performance.now() - round;
  }
}

/** Says `words` when `work`, which nothing can cut short, takes longer than a wait may stay silent. */
export async function sayIfSlow<T>(boot: Boot, words: string, work: Promise<T>): Promise<T> {
  const silent_ms = boot.options.quiet ? silence_ms.quiet : silence_ms.normal;
  const timer = setTimeout(() => boot.log.notice(words), silent_ms);
  return work.finally(() => clearTimeout(timer));
}

// What has no word for now is somebody's answer, or goes on in the background.
async function keepBeginning<T>(
  { timing }: Boot,
  { describe }: Wait<T>,
  kept: { span?: Span },
): Promise<void> {
  const words = kept.span === undefined ? await describe() : undefined;
  if (words !== undefined) kept.span = timing.begin("wait", words.replace(/^waiting for /, ""));
}

interface Word {
  readonly word: string;
  readonly detail: string;
}

async function describeNow<T>({ describe, detail }: Wait<T>, shown: Word): Promise<Word> {
  const word = await describe();
  return word === undefined ? shown : { word, detail: (await detail?.()) ?? "" };
}

// All that the console does not show yet; nothing when that is all.
function wordsOf({ word, detail }: Word, shown: Word): string {
  if (detail === shown.detail) return word === shown.word ? "" : word;
  return `${word}; ${detail}`;
}

// setTimeout() takes 31 bits.
const longestTimer_ms = 2 ** 31 - 1;

function withDeadline(word: string, left_ms: number): string {
  return left_ms === Number.POSITIVE_INFINITY
    ? word
    : `${word} (giving up in ${Math.ceil(left_ms / 1000)} s)`;
}

async function firstOf(event: Promise<void>, timeout_ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeout_ms);
  await Promise.race([event, late]);
  clearTimeout(timer);
}
