/** Standard output and standard error, as a command uses them. */

import { isatty } from "node:tty";
import { writeSync } from "node:fs";
import type { Terminal } from "./command.ts";

/** The terminal of this process. Results that can't be written throw; a line that can't has nobody to be told. */
export function processTerminal(): Terminal {
  const watched = isatty(2);
  let shown = 0;
  const clear = () => {
    if (shown > 0) writeAll(2, `\r${" ".repeat(shown)}\r`);
    shown = 0;
  };
  return {
    watched,
    direct: isatty(1),
    out: (result) => writeAll(1, result),
    say: (line) => {
      clear();
      writeAll(2, `${line}\n`);
    },
    progress: (line) => {
      if (!watched) return;
      clear();
      writeAll(2, line);
      shown = line.length;
    },
  };
}

function writeAll(fd: number, result: string | Uint8Array): void {
  const bytes = typeof result === "string" ? Buffer.from(result) : result;
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      // A reader that leaves early (`rdinit list | head`) has what it wanted.
      if (isCode(error, "EPIPE")) process.exit(0);
      if (!isCode(error, "EAGAIN")) {
        if (fd === 1) throw error;
        return;
      }
      Bun.sleepSync(1);
    }
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
