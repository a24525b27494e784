/** One program, two lives: process 1 of an early userspace, and a command-line tool everywhere else. */

import { linuxSyscalls } from "../syscalls/native.ts";
import { runCommand } from "./cli.ts";
import { init } from "./init.ts";

if (process.pid === 1) void init(linuxSyscalls(), process.env);
else process.exitCode = runCommand(process.argv.slice(2));
