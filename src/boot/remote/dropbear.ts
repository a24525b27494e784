/** How dropbear(8) is called for remote unlock, and what it says. Seen with Debian's 2022.83. */

import { FORCED_COMMAND } from "../../unlock/login.ts";

/** The arguments: keys alone let in, nothing is forwarded, and whatever a person asks for, our program is run. */
export function planDropbear(port: number, hostKeys: readonly string[]): string[] {
  return [
    "dropbear",
    // In the foreground, its log on standard error.
    ...["-F", "-E"],
    // No passwords, no forwarding of ports from either side, no message of the day.
    ...["-s", "-j", "-k", "-m"],
    ...["-c", FORCED_COMMAND],
    ...["-p", String(port)],
    // A connection that has died is noticed.
    ...["-K", "60"],
    // No pid file.
    ...["-P", ""],
    ...hostKeys.flatMap((path) => ["-r", path]),
  ];
}

/** What a line of its log means. */
export type DropbearEvent =
  | { readonly kind: "listening" }
  /** A sentence for people. */
  | { readonly kind: "login" | "refused" | "problem"; readonly words: string };

/** Reads a line of its log; undefined for what is of no interest to people. */
export function readDropbear(line: string): DropbearEvent | undefined {
  const said = line.replace(/^\[\d+\] \w+ +\d+ [\d:]+ /, "");
  if (said === "Not backgrounding") return { kind: "listening" };
  const [, key, from] = /^Pubkey auth succeeded for 'root' with \S+ key (\S+) from (\S+)$/.exec(said) ?? [];
  if (key !== undefined)
    return {
      kind: "login",
      words: `somebody has logged in over SSH from ${host(from)}, with the key ${key}.`,
    };
  const [, stranger] = /^(?:Exit before auth|Premature exit).* from <([^>]+)>/.exec(said) ?? [];
  if (stranger !== undefined)
    return {
      kind: "refused",
      words: `a login over SSH from ${host(stranger)} came to nothing: ${reason(said)}.`,
    };
  if (PROBLEM.test(said)) return { kind: "problem", words: `dropbear says: ${said}` };
  return undefined;
}

const PROBLEM =
  /^(?:Failed (?:listening|loading)|Early exit|.*must be owned by|.*invalid shell|.*PTY|.*pty|.*[Rr]andom)/;

function host(address = ""): string {
  return address.replace(/:\d+$/, "");
}

// "Exit before auth from <192.0.2.7:50022>: (user 'root', 3 fails): Exited normally"
function reason(said: string): string {
  const words = said.replace(/^[^>]*>: */, "").replace(/\.$/, "");
  const [, user, fails] = /^\(user '(.*?)', (\d+) fails?\)/.exec(words) ?? [];
  if (fails === undefined) return words;
  if (user !== "root") return "there is no such user";
  return fails === "0" ? "none of its keys may log in" : `${fails} keys were refused`;
}
