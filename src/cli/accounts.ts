/** The names of users and groups. */

import { readFileSync } from "node:fs";
import { fromBytes } from "../lib/bytes.ts";

/** What users and groups are called; a number that has no name stands for itself. */
export interface Accounts {
  readonly user: (id: number) => string;
  readonly group: (id: number) => string;
}

/** Nobody has a name. */
export const NUMBERS: Accounts = { user: String, group: String };

/** The accounts of this machine: those in its files, and none that a network service knows. */
export function localAccounts(): Accounts {
  return parseAccounts(readIfThere("/etc/passwd"), readIfThere("/etc/group"));
}

/** The accounts in these texts (passwd(5), group(5)): where an id is there twice, the first counts. */
export function parseAccounts(passwd: string, group: string): Accounts {
  const [users, groups] = [parse(passwd), parse(group)];
  return { user: (id) => users.get(id) ?? String(id), group: (id) => groups.get(id) ?? String(id) };
}

function parse(file: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of file.split("\n")) {
    const [name = "", , id = ""] = line.split(":");
    if (name !== "" && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function readIfThere(path: string): string {
  try {
    return fromBytes(readFileSync(path));
  } catch {
    return "";
  }
}
