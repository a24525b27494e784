/**
 * Asks for passphrases: one question for all volumes that wait for one, and each answer is tried on all of them.
 *
 * An answer is a key as it is, byte for byte, or without the line feed at its end, when it has one.
 *
 * The passphrase that opened some is kept until the layer stops, and tried on volumes that appear later, before anyone
 * is asked for theirs: what is in an encrypted volume may be encrypted again. Every other one is overwritten at once.
 *
 * After an answer that opens none there is a pause that grows, and after `tries` of them a volume stays closed: what
 * comes then is decided elsewhere (emergency.ts), and no key is left for it.
 */

import type { Desk } from "../prompt/desk.ts";
import { setUpConsole } from "../prompt/keyboard.ts";
import { Prompt } from "../prompt/prompt.ts";
import type { Boot } from "../context.ts";
import { secretCopy } from "../prompt/secret-buffer.ts";
import { type Opened, passphraseWords } from "./luks-command.ts";
import { type Tracked, titleOf } from "./luks-states.ts";
import { type Workshop, isFoundOpen, openVolume } from "./luks-unlock.ts";

/** What a question is put by; tests put something else here. */
export type MakePrompt = (boot: Boot) => Pick<Prompt, "ask" | "tell" | "close">;

/** On the consoles, and of those who come from elsewhere. */
export function askingAt(desk: Desk | undefined): MakePrompt {
  return (boot) => new Prompt(boot, { desk });
}

/** The longest pause. */
const pause_s = 30;

const LINE_FEED = 0x0a;

/** What came of a passphrase. */
interface Tried {
  /** What of it was a key; undefined when it opened nothing. */
  readonly right: Uint8Array | undefined;
  readonly words: string;
}

export class Questions {
  private readonly shop: Workshop;
  private readonly timeout_ms: number | undefined;
  private readonly makePrompt: MakePrompt;
  private asking: Promise<void> | undefined;
  private console: Promise<void> | undefined;
  private question = new AbortController();
  private right: Uint8Array | undefined;
  /** While an answer is tried, which takes seconds: what it opens may be there before cryptsetup has ended. */
  private isTrying = false;
  /** When the pause after a wrong answer is over, by performance.now(). */
  private rests_until = 0;

  /** @param timeout_ms how long an answer is waited for where a volume does not say; undefined is for ever */
  constructor(shop: Workshop, timeout_ms: number | undefined, makePrompt: MakePrompt) {
    this.shop = shop;
    this.timeout_ms = timeout_ms;
    this.makePrompt = makePrompt;
    shop.signal.addEventListener("abort", () => {
      this.question.abort();
      this.keep(undefined);
    });
  }

  /** Has a person asked for this volume's passphrase, until it is open or given up, or all is stopped. */
  async askFor(one: Tracked): Promise<void> {
    const { states, signal } = this.shop;
    if (await this.openedByTheLast(one)) return;
    states.set(one, "asked for");
    while (states.in("asked for").includes(one) && !signal.aborted) {
      this.asking ??= this.ask().finally(() => (this.asking = undefined));
      await this.asking;
    }
  }

  /** True while the console belongs to a question, or to the answer of one. */
  get isOpen(): boolean {
    return this.isTrying || this.shop.states.in("asked for").length > 0;
  }

  /** How long no answer is taken yet, after a wrong one; 0 when a question is open. */
  get rests_s(): number {
    return Math.max(0, Math.ceil((this.rests_until - performance.now()) / 1000));
  }

  /** Takes the question back when no volume waits for an answer any more. */
  withdrawIfUseless(): void {
    if (this.shop.states.in("asked for").length === 0) this.question.abort();
  }

  private async ask(): Promise<void> {
    const { boot, states, signal } = this.shop;
    await (this.console ??= setUpConsole(boot));
    const prompt = this.makePrompt(boot);
    try {
      for (;;) {
        await states.settled();
        const waiting = states.in("asked for");
        if (waiting.length === 0 || signal.aborted) return;
        this.question = new AbortController();
        const answer = await prompt.ask({
          words: passphraseWords(waiting.map(titleOf)),
          signal: this.question.signal,
          timeout_ms: this.timeoutFor(waiting),
        });
        if (typeof answer === "object") {
          const { right, words } = await this.tryOrForget(answer.bytes);
          prompt.tell(right === undefined ? "wrong" : "ok", words);
          if (right === undefined) await this.pause();
        } else if (answer !== "cancelled") {
          const why = answer === "declined" ? "no passphrase was given" : "no passphrase came in time";
          for (const one of states.in("asked for")) {
            one.isOverdue = answer === "timed out";
            states.fail(one, `stays closed: ${why}`);
          }
        }
      }
    } finally {
      await prompt.close();
    }
  }

  private async openedByTheLast(one: Tracked): Promise<boolean> {
    if (this.right === undefined) return false;
    const answer = await openVolume(this.shop, one, { kind: "passphrase" }, this.right);
    return answer.kind === "opened";
  }

  /** Tries the passphrase on all, keeps it if it has opened any, and overwrites it. */
  private async tryOrForget(passphrase: Uint8Array): Promise<Tried> {
    this.isTrying = true;
    try {
      const tried = await this.tryAll(passphrase);
      // The buffer may be used for the next.
      if (tried.right !== undefined) this.keep(secretCopy(tried.right));
      return tried;
    } finally {
      this.isTrying = false;
      passphrase.fill(0);
    }
  }

  private keep(passphrase: Uint8Array | undefined): void {
    this.right?.fill(0);
    this.right = this.shop.signal.aborted ? undefined : passphrase;
    if (this.right === undefined) passphrase?.fill(0);
  }

  private async tryAll(passphrase: Uint8Array): Promise<Tried> {
    const { states } = this.shop;
    await states.settled();
    const opened: string[] = [];
    const wrong: Tracked[] = [];
    let right: Uint8Array | undefined;
    const failures: string[] = [];
    for (const one of states.in("asked for")) {
      const { key, answer } = await this.tryReadings(one, passphrase);
      if (answer.kind === "wrong key") wrong.push(one);
      else if (answer.kind === "failed") {
        if (right !== undefined && isFoundOpen(this.shop, one)) continue;
        states.fail(one, answer.why);
        failures.push(one.problem ?? "");
      } else {
        right = key;
        opened.push(titleOf(one));
      }
    }
    if (right !== undefined) return { right, words: opened.join(" and ") };
    // What opens one of several is right, though not for the others.
    return { right, words: [...failures, ...wrong.map((one) => this.countWrong(one))].join(" ") };
  }

  // It may be the text of a file that ends with a line feed, which nobody has typed when the passphrase was set.
  private async tryReadings(
    one: Tracked,
    passphrase: Uint8Array,
  ): Promise<{ key: Uint8Array; answer: Opened }> {
    const tryKey = async (key: Uint8Array): Promise<{ key: Uint8Array; answer: Opened }> => ({
      key,
      answer: await openVolume(this.shop, one, { kind: "passphrase" }, key),
    });
    const whole = await tryKey(passphrase);
    if (whole.answer.kind !== "wrong key" || passphrase.at(-1) !== LINE_FEED) return whole;
    return tryKey(passphrase.subarray(0, -1));
  }

  private countWrong(one: Tracked): string {
    const { boot, states } = this.shop;
    one.wrong += 1;
    const { tries } = one.volume.options;
    const of = tries === 0 ? "" : ` (${one.wrong} of ${tries} tries)`;
    const next_s = pauseAfter_s(one.wrong);
    // A short one is over before it is read.
    const isLast = tries !== 0 && one.wrong >= tries;
    const rest = isLast || next_s < 4 ? "" : ` The next may be given in ${next_s} s.`;
    const words = `this passphrase does not open ${titleOf(one)}${of}.${rest}`;
    boot.log.notice(words);
    if (!isLast) return words;
    states.fail(one, `stays closed: no passphrase was right in ${tries} ${tries === 1 ? "try" : "tries"}`);
    return one.problem ?? words;
  }

  // Guessing gets slower with each guess.
  private async pause(): Promise<void> {
    const { states, signal } = this.shop;
    const wrong = Math.max(0, ...states.in("asked for").map((one) => one.wrong));
    if (wrong === 0 || signal.aborted) return;
    const over = Promise.withResolvers<void>();
    const rest_ms = pauseAfter_s(wrong) * 1000;
    const timer = setTimeout(over.resolve, rest_ms);
    this.rests_until = performance.now() + rest_ms;
    signal.addEventListener("abort", () => over.resolve(), { once: true });
    await over.promise;
    clearTimeout(timer);
    this.rests_until = 0;
  }

  // The question is one for all, and stays for as long as one of them waits.
  private timeoutFor(waiting: readonly Tracked[]): number | undefined {
    const all = waiting.map(({ volume }) => volume.options.timeout_ms ?? this.timeout_ms);
    return all.includes(undefined) ? undefined : Math.max(...all.map((timeout_ms) => timeout_ms ?? 0));
  }
}

function pauseAfter_s(wrong: number): number {
  return Math.min(2 ** (wrong - 1), pause_s);
}
