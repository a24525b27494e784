/** The serial console of a guest: its text as it comes, and waiting for a part of it. */

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join, relative } from "node:path";
import { PROJECT } from "./host.ts";

/** Lines of the log that an error quotes. */
const QUOTED_LINES = 40;

/** One line of the console without its end; `at_ms` is host time since QEMU was started. */
export interface Line {
  readonly at_ms: number;
  readonly text: string;
}

interface Waiter {
  readonly what: string | RegExp;
  readonly found: (match: RegExpExecArray) => void;
  readonly failed: (why: string) => void;
}

export class Console {
  /** Where the log is kept: build/logs/NAME.log, each line behind the seconds since the start. */
  readonly logFile: string;
  readonly lines: Line[] = [];
  private readonly name: string;
  private readonly write: (bytes: Uint8Array) => void;
  private readonly log: number;
  private readonly started: number;
  private readonly waiters: Waiter[] = [];
  /** All text so far, and where the next expect() begins to look. */
  private all = "";
  private seen = 0;
  private partial = "";
  private escape = "";
  private ended: string | undefined;

  /** `write` sends bytes to the guest. The log of an earlier machine of the same name is overwritten. */
  constructor(name: string, write: (bytes: Uint8Array) => void) {
    this.name = name;
    this.write = write;
    this.started = performance.now();
    const dir = join(PROJECT, "build/logs");
    mkdirSync(dir, { recursive: true });
    this.logFile = join(dir, `${name}.log`);
    this.log = openSync(this.logFile, "w");
  }

  /** The whole text so far (a byte string), line ends as "\n", terminal control sequences removed. */
  get text(): string {
    return this.all;
  }

  /** Types `text` (a byte string) on the console; "\n" is the Enter key. */
  send(text: string): void {
    this.write(Buffer.from(text.replaceAll("\n", "\r"), "latin1"));
  }

  /**
   * The next place where `what` stands, searched from behind the last match on; part of a line will do.
   * Throws Error with the end of the log when it does not come within `timeout_ms` or the machine ends first.
   */
  expect(what: string | RegExp, timeout_ms: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        drop();
        reject(new Error(this.failure(`${describeWanted(what)} ${why}`)));
      };
      const timer = setTimeout(() => fail(`did not come within ${timeout_ms} ms`), timeout_ms);
      const waiter: Waiter = {
        what,
        found: (match) => {
          drop();
          resolve(match);
        },
        failed: fail,
      };
      const drop = () => {
        clearTimeout(timer);
        const at = this.waiters.indexOf(waiter);
        if (at >= 0) this.waiters.splice(at, 1);
      };
      this.waiters.push(waiter);
      this.serve();
    });
  }

  /** A message for a failed test: `what`, the last lines, the log's place, and how to run the test alone. */
  failure(what: string): string {
    const last = this.lines.slice(-QUOTED_LINES).map((line) => `  | ${line.text}`);
    if (this.partial !== "") last.push(`  | ${this.partial}`);
    const main = relative(PROJECT, Bun.main);
    const test = main.startsWith("test/") ? main : "test/boot";
    return [
      `${this.name}: ${what}. The console's last lines:`,
      ...last,
      `The whole log is ${relative(PROJECT, this.logFile)}; 'bun test ${test}' runs the test alone.`,
    ].join("\n");
  }

  /** Takes what the guest wrote. Called by the machine. */
  feed(bytes: Uint8Array): void {
    const raw = this.escape + Buffer.from(bytes).toString("latin1");
    // A control sequence that the chunk cuts off waits for its rest.
    this.escape = /\x1b(?:\[[0-9;?]*)?$/.exec(raw)?.[0] ?? "";
    const clean = raw.slice(0, raw.length - this.escape.length).replace(CONTROL, "");
    if (clean === "") return;
    this.all += clean;
    const pieces = (this.partial + clean).split("\n");
    this.partial = pieces.pop() ?? "";
    for (const text of pieces) this.addLine(text);
    this.serve();
  }

  /** No more will come, because `why` (a clause). Called by the machine. */
  end(why: string): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    if (this.partial !== "") this.addLine(this.partial);
    this.partial = "";
    closeSync(this.log);
    this.serve();
  }

  private addLine(text: string): void {
    const at_ms = performance.now() - this.started;
    this.lines.push({ at_ms, text });
    writeSync(this.log, Buffer.from(`${(at_ms / 1000).toFixed(3).padStart(8)}  ${text}\n`, "latin1"));
  }

  /** Waiters are served in the order of their coming; each match uses the text up. */
  private serve(): void {
    while (true) {
      const waiter = this.waiters[0];
      if (waiter === undefined) return;
      const match = search(this.all.slice(this.seen), waiter.what);
      if (match !== undefined) {
        this.seen += match.index + match[0].length;
        waiter.found(match);
      } else if (this.ended !== undefined) waiter.failed(`did not come: ${this.ended}`);
      else return;
    }
  }
}

/** Carriage returns, and what ECMA-48 calls control sequences and two-character escapes. */
const CONTROL = /\r|\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\-_cM78=>]/g;

function search(text: string, what: string | RegExp): RegExpExecArray | undefined {
  const pattern = typeof what === "string" ? what.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : what.source;
  const flags = typeof what === "string" ? "" : what.flags.replace(/[gy]/g, "");
  return new RegExp(pattern, flags).exec(text) ?? undefined;
}

function describeWanted(what: string | RegExp): string {
  return typeof what === "string" ? JSON.stringify(what) : String(what);
}
