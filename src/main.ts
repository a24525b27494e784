/** One program, two lives: process 1 of an early userspace, and a command-line tool everywhere else. */

import { linuxSyscalls } from "../syscalls/native.ts";
import { init } from "./init.ts";

if (process.pid === 1) void init(linuxSyscalls(), process.env);
// The tool's code is not even looked at by process 1.
else
  void import("./cli.ts").then(async (cli) => {
    process.exitCode = await cli.runCommand(cli.programArguments());
  });
