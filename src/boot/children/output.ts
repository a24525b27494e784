/** What a child prints: read, shown to people line by line, and its end kept. */

import type { Fd, Syscalls } from "../../../syscalls/index.ts";
import { fromBytes, text } from "../../lib/bytes.ts";
import type { Boot } from "../context.ts";

/** How much of a child's output is kept. */
export const kept_bytes = 64 * 1024;

/** A line that is longer is cut, so that a child without line feeds can't fill the memory. */
const longestLine_bytes = 4096;

/** When the lines of a child are shown: as they come, only when it fails, or never. */
export type Show = "live" | "on failure" | "never";

/** The output of a child that is being read. */
export interface Output {
  /** The last `kept_bytes` of what came so far, a byte string. */
  readonly tail: () => string;
  /** Resolves when nobody holds the other end any more: neither the child nor whom it left behind. */
  readonly ended: Promise<void>;
}

/**
 * Reads a pipe to its end and closes it; `show` gets every line. Never rejects: a pipe that can't be read has ended.
 */
export function readOutput(sys: Syscalls, fd: Fd, show: (line: string) => void): Output {
  let tail = "";
  const lines = new Lines();
  const read = async (): Promise<void> => {
    try {
      for await (const chunk of Bun.file(fd).stream()) {
        const bytes = fromBytes(chunk);
        tail = (tail + bytes).slice(-kept_bytes);
        for (const line of lines.push(bytes)) show(line);
        // A child that prints faster than we show it would keep the event loop from everything else.
        await new Promise<void>((resolve) => void setImmediate(resolve));
      }
    } catch {
      // What came until then is all there is.
    }
    for (const line of lines.end()) show(line);
    sys.close(fd);
  };
  return { tail: () => tail, ended: read() };
}

/** How many lines are shown as they come, and how many of the last when it failed: a console is slow. */
const mostLines = { live: 1000, failed: 40 };

/** What the person sees of a child's output, each line with the child's name in front. */
export class Screen {
  private readonly boot: Boot;
  private readonly name: string;
  private readonly when: Show;
  private lines = 0;

  constructor(boot: Boot, name: string, when: Show) {
    this.boot = boot;
    this.name = name;
    this.when = when;
  }

  /** A line that has just come. */
  show(line: string): void {
    const { log } = this.boot;
    if (this.when !== "live" || this.lines > mostLines.live) return;
    this.lines += 1;
    if (this.lines <= mostLines.live) log.info(`${this.name}: ${line}`);
    else log.info(`${this.name}: prints more than ${mostLines.live} lines; the rest is not shown.`);
  }

  /** The end of the output, for a child that failed: unless the person has seen it. */
  showAgain(output: string): void {
    const seen = this.when === "live" && !this.boot.options.quiet && this.lines <= mostLines.live;
    if (seen || this.when === "never") return;
    for (const line of lastLines(output, mostLines.failed)) this.boot.log.warning(`${this.name}: ${line}`);
  }
}

/** The last lines of what was printed, at most `most` of them. */
export function lastLines(output: string, most: number): string[] {
  const lines = new Lines();
  return [...lines.push(output), ...lines.end()].slice(-most);
}

/** Cuts a stream of bytes into lines: at a line feed, and at the carriage return of a progress bar. */
export class Lines {
  private rest = "";

  /** The lines that these bytes complete, fit to be shown: UTF-8 decoded, control characters escaped. */
  push(bytes: string): string[] {
    const lines = (this.rest + bytes).split(/\r*\n|\r+(?!$)/);
    const open = pieces(lines.pop() ?? "");
    this.rest = open.pop() ?? "";
    return [...lines.flatMap(pieces), ...open].filter((line) => line !== "").map(text);
  }

  /** The last line, when no line feed ended it. */
  end(): string[] {
    const last = this.rest.replace(/\r+$/, "");
    this.rest = "";
    return last === "" ? [] : [text(last)];
  }
}

function pieces(line: string): string[] {
  const all: string[] = [];
  let rest = line;
  for (; rest.length > longestLine_bytes; rest = rest.slice(longestLine_bytes))
    all.push(rest.slice(0, longestLine_bytes));
  return [...all, rest];
}
