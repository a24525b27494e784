/** One program, two lives: process 1 of an early userspace, and a command-line tool everywhere else. */

import { linuxSyscalls } from "../syscalls/native.ts";
import { init } from "./init.ts";

if (process.pid === 1) void init(linuxSyscalls(), process.env);
// A chunk of its own (Makefile, --splitting): what the tool imports would cost process 1 a third of a second.
else
  void import("./cli.ts").then(async (cli) => {
    process.exitCode = await cli.runCommand(cli.programArguments());
  });
