/** rdinit unlock */

import { linuxSyscalls } from "../../syscalls/native.ts";
import { unlock } from "../unlock/unlock.ts";
import { serveLogin } from "../unlock/main.ts";
import type { Command } from "./command.ts";

/** Also what dropbear forces upon a login whose shell is another than ours (unlock/login.ts). */
export const unlockCommand: Command = {
  name: "unlock",
  operands: "",
  operandCount: [0, 0],
  summary: "answer the question for a passphrase, in an early userspace",
  options: [],
  run: async ({ terminal }) => {
    const sys = linuxSyscalls();
    const isLogin = process.env["SSH_CONNECTION"] !== undefined;
    const status = isLogin
      ? await serveLogin(sys, [], process.env)
      : await unlock(sys, process.env, (words) => terminal.say(words));
    // A read of the terminal may be under way.
    process.exit(status);
  },
};
