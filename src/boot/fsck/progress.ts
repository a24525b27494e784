/** How far a check is, and what it printed: for the person who waits for it. */

import type { Boot } from "../context.ts";
import { silence_ms } from "../wait.ts";

/** How far e2fsck is. */
export interface Progress {
  /** Of five. */
  readonly pass: number;
  /** Of this pass, 0 to 100. */
  readonly percent: number;
}

/** Reads a line of `e2fsck -C FD` (e2fsck(8)): the pass, how much is done, of how much, the device. */
export function parseProgress(line: string): Progress | undefined {
  const [, pass, done, all] = /^(\d) (\d{1,15}) (\d{1,15}) \/dev\/\S+$/.exec(line) ?? [];
  if (pass === undefined || Number(all) === 0) return undefined;
  return { pass: Number(pass), percent: Math.min(100, Math.floor((100 * Number(done)) / Number(all))) };
}

/** How often a check that goes on is told of. */
const interval_ms = 5000;

/** How many lines of a check are shown, the last ones: a console is slow. */
const mostLines = 40;

/** Takes the lines of a check. */
export class CheckScreen {
  private readonly boot: Boot;
  private readonly title: string;
  private next_ms: number;
  private lines: string[] = [];

  /** `title` is what is checked: "/dev/vda (ext4)". */
  constructor(boot: Boot, title: string) {
    this.boot = boot;
    this.title = title;
    this.next_ms = performance.now() + (boot.options.quiet ? silence_ms.quiet : silence_ms.normal);
  }

  hear(line: string): void {
    const progress = parseProgress(line);
    if (progress === undefined) {
      // Tabs came escaped (output.ts), and mean nothing here.
      const words = line.replaceAll("\\t", " ").trim();
      if (words !== "") this.lines = [...this.lines.slice(1 - mostLines), words];
      this.boot.log.debug(`fsck: ${words}`);
      return;
    }
    const now = performance.now();
    if (now < this.next_ms) return;
    this.next_ms = now + interval_ms;
    this.boot.log.notice(`checking ${this.title}: pass ${progress.pass} of 5, ${progress.percent} %`);
  }

  /** What the tool said last. */
  last(): readonly string[] {
    return this.lines;
  }
}
