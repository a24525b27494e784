/**
 * What a login over SSH gives: the question for the passphrase, and nothing else unless a shell is allowed.
 *
 * dropbear starts the account's shell with "-c" and the command that it forces (boot/remote/dropbear.ts), and leaves
 * what the person asked for in SSH_ORIGINAL_COMMAND (dropbear(8)).
 */

import { text } from "../lib/bytes.ts";

/** The name of root's shell in an image with dropbear: a link to /init. */
export const LOGIN_SHELL = "/bin/unlock";

/** What is forced upon each login. */
export const FORCED_COMMAND = "/init unlock";

/** True when the program was started by that name; a login shell's begins with "-" (login(1)). */
export function isLoginShell(argv0: string): boolean {
  return argv0.replace(/^-/, "").split("/").at(-1) === LOGIN_SHELL.split("/").at(-1);
}

/** What a person wants who has logged in. */
export type Wish =
  | { readonly kind: "unlock" }
  /** A shell, or one command of it. */
  | { readonly kind: "shell"; readonly command: string | undefined };

/**
 * Reads what was asked for: `args` of the login shell, without its name, and the environment. "cryptroot-unlock" is what
 * the keys of Debian's dropbear-initramfs are mostly tied to.
 */
export function readWish(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Wish {
  const given = args[0] === "-c" ? (args[1] ?? "") : "";
  const command =
    (given === "" || given === FORCED_COMMAND ? env["SSH_ORIGINAL_COMMAND"] : given)?.trim() ?? "";
  if (command === "" || UNLOCK.test(command)) return { kind: "unlock" };
  return { kind: "shell", command: SHELL.test(command) ? undefined : command };
}

/** How the person is called on the console: "SSH from 10.0.2.2". */
export function whoAmI(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const address = env["SSH_CONNECTION"]?.split(" ")[0] ?? "";
  return address === "" ? undefined : `SSH from ${text(address)}`;
}

const UNLOCK = /^(?:\/init |rdinit )?unlock$|^(?:\/bin\/)?cryptroot-unlock$/;
const SHELL = /^(?:\/bin\/)?(?:ba|a)?sh(?: -[il]+)?$/;
