/**
 * Questions to the person: asked on all consoles at once, and of those who come from elsewhere (desk.ts). The first answer
 * wins.
 *
 * Nothing that is typed is shown, not even as a star for each key, which would tell how long a passphrase is.
 * Backspace takes a character back and Ctrl-U or Ctrl-C the line; Ctrl-D on an empty line gives no answer.
 */

import { type Fd, O_CLOEXEC, SysError } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { LineEditor, longestAnswer_bytes } from "./line.ts";
import { secretBuffer } from "./secret-buffer.ts";
import { type LogWatch, watchLog } from "./log-watch.ts";
import type { Desk } from "./desk.ts";
import { type Terminal, consolePaths, openTerminal } from "./terminals.ts";

export interface Question {
  /** What is asked, as it is shown: "Passphrase for vda2: ". */
  readonly words: string;
  /** The question is withdrawn when it is aborted. */
  readonly signal: AbortSignal;
  /** Undefined waits for ever. */
  readonly timeout_ms?: number | undefined;
}

/** The bytes of an answer, to be overwritten by who asked; where it came from: "ttyS0", "SSH from 10.0.2.2". */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly from: string;
}

/** Where questions are put; the kernel's consoles, nobody elsewhere and the kernel's log when left out. */
export interface Places {
  readonly terminals?: readonly string[];
  readonly desk?: Desk | undefined;
  /** Whose lines the question is shown again below. */
  readonly log?: string;
}

interface Open {
  readonly words: string;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = Answer | "declined" | "cancelled" | "timed out";

/**
 * Questions, one after the other, until `close`: from the first to the last the terminals echo nothing, so that
 * what is typed while an answer is being tried does not show either.
 */
export class Prompt {
  private readonly boot: Boot;
  private readonly terminals = new Map<Terminal, LineEditor>();
  private readonly desk: Desk | undefined;
  private readonly log: LogWatch | undefined;
  private readonly wake: { readonly read: Fd; readonly write: Fd };
  private readonly watching: Promise<void>;
  private open: Open | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private closing = false;

  /** @throws SysError when there are no descriptors left */
  constructor(boot: Boot, places: Places = {}) {
    const { terminals = consolePaths(boot.sys), desk } = places;
    const { sys } = boot;
    this.desk = desk;
    this.boot = boot;
    this.wake = sys.pipe(O_CLOEXEC);
    for (const path of terminals) {
      const terminal = openTerminal(sys, path);
      if (terminal !== undefined) this.terminals.set(terminal, new LineEditor());
    }
    this.log = watchLog(sys, places.log ?? "/dev/kmsg");
    this.watching = this.watch();
  }

  /** Asks, and waits for the first answer. One question at a time. */
  async ask({ words, signal, timeout_ms }: Question): Promise<Outcome> {
    if (signal.aborted || this.closing) return "cancelled";
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    for (const line of this.terminals.values()) line.erase();
    this.open = { words, settle: resolve };
    const withdraw = (): void => resolve("cancelled");
    signal.addEventListener("abort", withdraw);
    const timer = timeout_ms === undefined ? undefined : setTimeout(() => resolve("timed out"), timeout_ms);
    // Lines that are shown already are no reason to show it again.
    this.log?.read();
    this.show(words);
    this.desk?.ask(words.trimEnd(), (answer) => {
      // Two may come in one turn, and the first has won.
      if (this.open === undefined) answer.bytes.fill(0);
      else this.settle(this.open, answer);
    });
    const span = this.boot.timing.begin("person", words.trimEnd());
    const outcome = await promise;
    span.ends(typeof outcome === "string" ? outcome : `answered on ${outcome.from}`);
    signal.removeEventListener("abort", withdraw);
    clearTimeout(timer);
    clearTimeout(this.again);
    this.open = undefined;
    const where = typeof outcome === "string" ? undefined : this.wherefrom(outcome);
    this.desk?.settle(where);
    this.endLines(where === undefined ? String(outcome) : `answered ${where}`, outcome);
    return outcome;
  }

  /** Tells those elsewhere what became of the answer, a sentence; the terminals are told by the log. */
  tell(verdict: "ok" | "wrong", words: string): void {
    this.desk?.tell(verdict, words);
  }

  /** Puts the terminals back as they were and overwrites what was typed. */
  async close(): Promise<void> {
    if (this.closing) return this.watching;
    this.closing = true;
    this.open?.settle("cancelled");
    const { sys } = this.boot;
    sys.write(this.wake.write, Uint8Array.of(0));
    await this.watching;
    for (const terminal of [...this.terminals.keys()]) this.drop(terminal);
    for (const fd of [this.wake.read, this.wake.write, this.log?.fd]) if (fd !== undefined) sys.close(fd);
  }

  private async watch(): Promise<void> {
    const { sys, log } = this.boot;
    try {
      while (!this.closing) {
        const fds = [this.wake.read, ...[...this.terminals.keys()].map(({ fd }) => fd)];
        const ready = new Set(await sys.slow.poll(this.log === undefined ? fds : [...fds, this.log.fd]));
        if (this.closing) return;
        for (const terminal of [...this.terminals.keys()]) if (ready.has(terminal.fd)) this.read(terminal);
        if (this.log !== undefined && ready.has(this.log.fd) && this.log.read()) this.showAgain();
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      log.warning(
        `the consoles can't be read, and the question only be answered from elsewhere: ${describe(error)}.`,
      );
    }
  }

  private read(terminal: Terminal): void {
    const typed = secretBuffer(64);
    const line = this.terminals.get(terminal) ?? new LineEditor();
    for (let count = terminal.read(typed); count !== 0; count = terminal.read(typed)) {
      if (count === undefined) return this.drop(terminal);
      for (const byte of typed.subarray(0, count)) this.type(terminal, line, byte);
      typed.fill(0);
    }
  }

  private type(terminal: Terminal, line: LineEditor, byte: number): void {
    const { open } = this;
    // Nobody asks: it answers nothing.
    if (open === undefined) return;
    switch (line.type(byte)) {
      case undefined:
        return;
      case "done":
        if (line.bytes.length === 0) return terminal.show(`\n${open.words}`);
        return this.settle(open, { bytes: line.bytes, from: terminal.name });
      case "declined":
        return this.settle(open, "declined");
      case "erased":
        return terminal.show(`\n${open.words}`);
      case "too long":
        return terminal.show(`\nAn answer has at most ${longestAnswer_bytes} bytes.\n${open.words}`);
    }
  }

  // From then on nothing is an answer, before `ask` goes on.
  private settle(open: Open, outcome: Outcome): void {
    this.open = undefined;
    open.settle(outcome);
  }

  private wherefrom({ from }: Answer): string {
    return [...this.terminals.keys()].some(({ name }) => name === from) ? `on ${from}` : `by ${from}`;
  }

  private show(words: string): void {
    for (const terminal of this.terminals.keys()) terminal.show(words);
  }

  // The kernel's console may still be at it when its log tells of a line.
  private showAgain(): void {
    clearTimeout(this.again);
    if (this.open === undefined) return;
    this.again = setTimeout(() => this.show(`\r${this.open?.words ?? ""}`), 100);
  }

  /** Ends the line on each terminal, and erases what was typed but for the answer. */
  private endLines(word: string, outcome: Outcome): void {
    for (const [terminal, line] of this.terminals) {
      const isAnswer = typeof outcome !== "string" && outcome.from === terminal.name;
      terminal.show(isAnswer ? "\n" : `(${word})\n`);
      if (!isAnswer) line.erase();
    }
  }

  private drop(terminal: Terminal): void {
    this.terminals.get(terminal)?.erase();
    this.terminals.delete(terminal);
    terminal.close();
  }
}
