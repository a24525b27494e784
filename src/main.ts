/** One program, four lives: process 1 of an early userspace, process 1 of an exitrd, what a login over SSH gives, and a
 * command-line tool. */

import { readText } from "../syscalls/index.ts";
import { linuxSyscalls } from "../syscalls/native.ts";
import { exitrdAction } from "./exitrd/call.ts";
import { init } from "./init.ts";
import { isLoginShell } from "./unlock/login.ts";

// The others are chunks of their own (Makefile, --splitting): what the tool imports would cost process 1 a third of
// a second.
if (process.pid === 1) {
  const sys = linuxSyscalls();
  const action = exitrdAction(readText(sys, "/proc/self/cmdline").split("\0").slice(0, -1));
  if (action === undefined) void init(sys, process.env);
  else void import("./exitrd/exitrd.ts").then((end) => end.exitrd(sys, action));
} else if (isLoginShell(process.argv0))
  void import("./unlock/main.ts").then((login) => login.logIn(linuxSyscalls(), process.argv.slice(2)));
else
  void import("./cli.ts").then(async (cli) => {
    process.exitCode = await cli.runCommand(cli.programArguments());
  });
