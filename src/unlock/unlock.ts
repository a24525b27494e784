/** `rdinit unlock`: answers the question for a passphrase from a login, at a terminal or by a pipe. */

import { SysError, type Syscalls } from "../../syscalls/index.ts";
import { secretBuffer } from "../boot/prompt/secret-buffer.ts";
import { LineEditor, longestAnswer_bytes } from "../boot/prompt/line.ts";
import { type Terminal, openTerminal } from "../boot/prompt/terminals.ts";
import { UserError, describe } from "../lib/errors.ts";
import { type Connection, connect } from "./connection.ts";
import { Dialogue, type Step } from "./dialogue.ts";
import { whoAmI } from "./login.ts";
import { readKey } from "./piped.ts";

/** Where the words for the person go. */
type Say = (words: string) => void;

/**
 * Goes on until the boot says that nothing more is asked. Returns the exit status: 0 when the system starts, 1 when a
 * piped passphrase was wrong, the boot has failed or the person has left.
 * @throws UserError when nobody listens at `path`, or standard input holds no key
 */
export async function unlock(
  sys: Syscalls,
  env: Readonly<Record<string, string | undefined>>,
  say: Say,
  path?: string,
): Promise<number> {
  const terminal = terminalOfStdin(sys);
  if (terminal === undefined) return answerByPipe(sys, env, say, path);
  // Whatever ends it: the terminal may be somebody's who goes on to use it.
  const restore = (): void => terminal.close();
  const leave = (signal: number) => (): void => {
    restore();
    process.exit(128 + signal);
  };
  for (const [name, number] of SIGNALS) process.on(name, leave(number));
  try {
    return await answerAt(sys, terminal, introduced(await connect(path), env));
  } finally {
    restore();
  }
}

const SIGNALS = [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const;

async function answerByPipe(
  sys: Syscalls,
  env: Readonly<Record<string, string | undefined>>,
  say: Say,
  path: string | undefined,
): Promise<number> {
  const slow = setTimeout(() => say("Reading the passphrase from standard input, to its end."), 1000);
  const key = await readKey(sys).finally(() => clearTimeout(slow));
  try {
    const connection = introduced(await connect(path), env);
    const dialogue = new Dialogue("pipe");
    for (;;) {
      const line = await connection.next();
      const step = line === undefined ? dialogue.lost() : dialogue.take(line);
      if (step.say !== undefined) say(step.say);
      if (step.send === true) connection.answer(key);
      if (step.exit !== undefined) return step.exit;
    }
  } finally {
    key.fill(0);
  }
}

/** Shows the questions, and takes what is typed. */
async function answerAt(sys: Syscalls, terminal: Terminal, connection: Connection): Promise<number> {
  const dialogue = new Dialogue("terminal");
  const line = new LineEditor();
  const typed = secretBuffer(64);
  const over = Promise.withResolvers<number>();
  let question: string | undefined;
  const show = (step: Step): void => {
    // A question that is open stands on the line still.
    const isOpen = question !== undefined;
    line.erase();
    question = step.ask;
    if (isOpen) terminal.show("\n");
    if (step.say !== undefined) terminal.show(`${step.say}\n`);
    if (step.ask !== undefined) terminal.show(step.ask);
    if (step.exit !== undefined) over.resolve(step.exit);
  };
  const type = (byte: number): void => {
    if (byte === CTRL_C) return leave();
    if (question === undefined) return;
    switch (line.type(byte)) {
      case undefined:
        return;
      case "done":
        if (line.bytes.length === 0) return terminal.show(`\n${question}`);
        terminal.show("\n");
        connection.answer(line.bytes);
        line.erase();
        question = undefined;
        return;
      case "declined":
        return leave();
      case "erased":
        return terminal.show(`\n${question}`);
      case "too long":
        return terminal.show(`\nAn answer has at most ${longestAnswer_bytes} bytes.\n${question}`);
    }
  };
  const leave = (): void => {
    terminal.show("\nThe question stays open for others.\n");
    over.resolve(1);
  };
  const listen = async (): Promise<void> => {
    for (;;) {
      const said = await connection.next();
      show(said === undefined ? dialogue.lost() : dialogue.take(said));
      if (said === undefined) return;
    }
  };
  const read = async (): Promise<void> => {
    for (;;) {
      await sys.slow.poll([terminal.fd]);
      const count = terminal.read(typed);
      if (count === undefined) return over.resolve(1);
      for (const byte of typed.subarray(0, count)) type(byte);
      typed.fill(0);
    }
  };
  void listen();
  read().catch((error: unknown) => {
    terminal.show(`\nThe terminal can't be read: ${describe(error)}.\n`);
    over.resolve(1);
  });
  return over.promise;
}

const CTRL_C = 0x03;

function introduced(connection: Connection, env: Readonly<Record<string, string | undefined>>): Connection {
  const name = whoAmI(env);
  if (name !== undefined) connection.request(`from ${name}`);
  return connection;
}

// By its name, so that what is set on the descriptor is nobody else's.
function terminalOfStdin(sys: Syscalls): Terminal | undefined {
  try {
    sys.getTermios(0);
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
  const path = sys.readlink("/proc/self/fd/0");
  const terminal = openTerminal(sys, path);
  if (terminal === undefined) throw new UserError(`The terminal ${path} can't be opened.`);
  return terminal;
}
