/** A login over SSH: dropbear has started this program as root's shell. */

import { CLOSE_RANGE_CLOEXEC, SIGPIPE, SIGXFSZ, type Syscalls, writeAll } from "../../syscalls/index.ts";
import { installApplets, shell } from "../boot/rescue/shell-words.ts";
import { toolDirectories } from "../boot/children/spawn.ts";
import { describe } from "../lib/errors.ts";
import { connect } from "./connection.ts";
import { readWish } from "./login.ts";
import { unlock } from "./unlock.ts";

/** Does what the person wants who has logged in, and ends the process. */
export async function logIn(sys: Syscalls, args: readonly string[]): Promise<never> {
  process.exit(await serveLogin(sys, args, process.env));
}

/** The exit status of the login. Without an error of its own it does not return when a shell takes over. */
export async function serveLogin(
  sys: Syscalls,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const say = (words: string): void => writeAll(sys, 2, Buffer.from(`${words}\n`, "utf8"));
  const wish = readWish(args, env);
  try {
    if (wish.kind === "unlock") return await unlock(sys, env, say);
    const obstacle = await shellObstacle();
    if (obstacle === undefined) return startShell(sys, wish.command, env);
    say(obstacle);
    return 1;
  } catch (error) {
    say(describe(error));
    return 2;
  }
}

async function shellObstacle(): Promise<string | undefined> {
  const connection = await connect();
  connection.request("shell");
  for (let line = await connection.next(); line !== undefined; line = await connection.next()) {
    if (line.word === "shell") return undefined;
    if (line.word === "refused") return line.rest;
  }
  return "The boot does not say whether a shell is allowed.";
}

/** Takes the place of this process, with what the runtime has changed put back (boot/handover/newinit.ts). */
function startShell(
  sys: Syscalls,
  command: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): never {
  for (const signal of [SIGPIPE, SIGXFSZ]) sys.resetSignal(signal);
  sys.unblockSignals();
  sys.closeRange(3, 0xffff_ffff, CLOSE_RANGE_CLOEXEC);
  const variables = {
    PATH: toolDirectories.join(":"),
    HOME: env["HOME"] ?? "/",
    TERM: env["TERM"] ?? "linux",
    PS1: "rdinit# ",
    RDINIT_COMMAND: command ?? "",
  };
  const run = command === undefined ? `exec ${shell}` : `exec ${shell} -c "$RDINIT_COMMAND"`;
  return sys.execve(
    shell,
    [shell, "-c", `${installApplets}; ${run}`],
    Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  );
}
