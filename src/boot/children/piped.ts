/** A child whose output is read through a pipe: how both those that end (children.ts) and those that run on (daemon.ts) begin. */

import { type Fd, O_CLOEXEC, SysError, type Syscalls } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { type Output, Screen, type Show, readOutput } from "./output.ts";
import { startProgram } from "./spawn.ts";

/** What is to be started. */
export interface StartRequest {
  /** The program and its arguments, byte strings. A program without a slash is looked for in `toolDirectories`. */
  readonly argv: readonly string[];
  /** What its lines on the console begin with. */
  readonly name: string;
  /** Variables besides `toolEnvironment` (spawn.ts). */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on standard input: bytes or a descriptor; nothing (/dev/null) when left out. */
  readonly stdin?: Uint8Array | Fd;
  readonly show: Show;
  /** Gets each line as it comes, whatever is shown of it. */
  readonly hear?: (line: string) => void;
}

/** A program that was started. */
export interface Started {
  readonly child: Bun.Subprocess;
  readonly output: Output;
  readonly screen: Screen;
}

/**
 * Starts a program in a session of its own, with a clean environment and standard output and error in one pipe, which keeps
 * their order and is read from now on. When it can't be started the result says why, as a clause that fits behind its name:
 * "is not in the image".
 */
export function startPiped(boot: Boot, request: StartRequest): Started | string {
  const { sys } = boot;
  const { argv, name, env, stdin, show, hear } = request;
  const pipe = openPipe(sys);
  if (typeof pipe === "string") return pipe;
  const child = startProgram(boot, {
    argv,
    ...(env === undefined ? {} : { env }),
    stdio: [stdin ?? "ignore", pipe.write, pipe.write],
  });
  sys.close(pipe.write);
  if (typeof child === "string") {
    sys.close(pipe.read);
    return child;
  }
  const screen = new Screen(boot, name, show);
  const output = readOutput(sys, pipe.read, (line) => {
    hear?.(line);
    screen.show(line);
  });
  return { child, output, screen };
}

function openPipe(sys: Syscalls): { read: number; write: number } | string {
  try {
    return sys.pipe(O_CLOEXEC);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return `can't be started: ${describe(error)}`;
  }
}
