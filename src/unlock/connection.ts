/** A connection to /run/rdinit/ask. */

import { UserError, describe } from "../lib/errors.ts";
import { type BootLine, answerHeader, blank, readBootLine } from "../boot/prompt/protocol.ts";
import { askSocket } from "../boot/prompt/socket.ts";
import { secretBuffer } from "../boot/prompt/secret-buffer.ts";

export interface Connection {
  /** The next line of the boot's; undefined when it has ended the connection. */
  readonly next: () => Promise<BootLine | undefined>;
  readonly request: (line: string) => void;
  /** Sends an answer, and overwrites it. */
  readonly answer: (bytes: Uint8Array) => void;
}

/** @throws UserError when nobody listens */
export async function connect(path = askSocket): Promise<Connection> {
  const lines: (BootLine | undefined)[] = [];
  let rest = "";
  let wake: (() => void) | undefined;
  let unsent: Uint8Array = new Uint8Array(0);
  let answered = 0;
  const decoder = new TextDecoder();
  const add = (line: BootLine | undefined): void => {
    lines.push(line);
    wake?.();
  };
  const flush = (socket: Bun.Socket): void => {
    while (unsent.length > 0) {
      const count = socket.write(unsent);
      if (count <= 0) return;
      unsent.fill(0, 0, count);
      unsent = unsent.subarray(count);
    }
  };
  const socket = await Bun.connect({
    unix: path,
    socket: {
      data(_, chunk) {
        const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = pieces.pop() ?? "";
        for (const piece of pieces) {
          const line = readBootLine(piece);
          if (line !== undefined) add(line);
          if (line?.word !== "trying") continue;
          send(blank(answered));
          answered = 0;
        }
      },
      drain: flush,
      close: () => add(undefined),
      error: () => undefined,
    },
  }).catch((error: unknown) => {
    throw new UserError(
      `No question can be answered here: ${path} can't be connected to (${describe(error)}).`,
      "It is there while the early userspace runs and a passphrase is needed, and root's alone.",
    );
  });
  // One buffer for all that waits, so that one place is overwritten.
  const send = (bytes: Uint8Array): void => {
    const all = secretBuffer(unsent.length + bytes.length);
    all.set(unsent);
    all.set(bytes, unsent.length);
    unsent.fill(0);
    unsent = all;
    flush(socket);
  };
  return {
    async next() {
      while (lines.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return lines.shift();
    },
    request: (line) => send(Buffer.from(`${line}\n`, "utf8")),
    answer(bytes) {
      answered = bytes.length;
      send(Buffer.from(answerHeader(bytes.length)));
      send(bytes);
      bytes.fill(0);
    },
  };
}
