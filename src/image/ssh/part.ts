/** Remote unlock in an image: who may log in, by which keys the server is known, and what a login runs. */

import { readFileSync } from "node:fs";
import { fromBytes, text, toBytes } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { LOGIN_SHELL } from "../../unlock/login.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";
import { findProgram } from "../recipes/look.ts";
import { hostPath } from "../root-tree.ts";
import { readAuthorizedKeys } from "./authorized-keys.ts";
import { KEY_DIRECTORIES, hostKeys } from "./host-keys.ts";

/** What was asked for. All paths are byte strings of this machine; those that are empty stand for the usual places. */
export interface SshWishes {
  readonly authorizedKeys: readonly string[];
  readonly hostKeys: readonly string[];
}

/**
 * The keys of the SSH server and of its users, and the program of a login; dropbear itself comes by its recipe. May make
 * a host key (host-keys.ts).
 * @throws UserError when nobody could log in, or no host key can be had
 */
export function sshPart(root: FileTree, wishes: SshWishes): { part: Part; decisions: readonly string[] } {
  const program = root.read(findProgram(root, "dropbear") ?? "");
  // Its table of algorithms has their names as they are.
  const knows = (type: string) =>
    program === undefined || Buffer.from(program).includes(toBytes(`${type}\0`));
  const files = authorizedFiles(root, wishes.authorizedKeys).map(({ path, content }) => ({
    path,
    ...readAuthorizedKeys(content, path, knows),
  }));
  const lines = [...new Set(files.flatMap((file) => file.lines))];
  const notes = files.flatMap((file) => file.notes);
  if (lines.length === 0)
    throw new UserError(
      `Nobody could log in to unlock: ${files.map(({ path }) => text(path)).join(" and ")} ${files.length > 1 ? "have" : "has"} no key that dropbear takes.`,
      notes.join(" ") || "Put public keys there, one a line, as ssh-keygen(1) writes them.",
    );
  const keys = hostKeys(root, wishes.hostKeys);
  const login = { to: "/root/.ssh/authorized_keys", data: toBytes(`${lines.join("\n")}\n`) };
  return {
    part: {
      why: "remote unlock",
      made: [...keys.files, login],
      links: [{ path: LOGIN_SHELL, target: "/init" }],
      notes: [...notes, ...keys.notes],
    },
    decisions: [
      `${lines.length} ${lines.length === 1 ? "key" : "keys"} may log in, out of ${files.map(({ path }) => text(path)).join(" and ")}.`,
      ...keys.decisions,
    ],
  };
}

interface AuthorizedFile {
  readonly path: string;
  readonly content: string;
}

function authorizedFiles(root: FileTree, named: readonly string[]): AuthorizedFile[] {
  if (named.length > 0) return named.map((path) => ({ path, content: readNamed(path) }));
  const places = KEY_DIRECTORIES.map((directory) => `${directory}/authorized_keys`);
  for (const place of places) {
    const content = root.read(place);
    if (content) return [{ path: root.outside(place), content: fromBytes(content) }];
  }
  throw new UserError(
    `Nobody could log in to unlock: there is no ${places.map((place) => text(root.outside(place))).join(", nor ")}.`,
    "Put public keys into the first, or name a file of them by --authorized-keys: ~/.ssh/id_ed25519.pub is one.",
  );
}

function readNamed(path: string): string {
  let content: string;
  try {
    content = fromBytes(readFileSync(hostPath(path)));
  } catch (error) {
    throw new UserError(`The file of public keys ${text(path)} can't be read: ${describe(error)}.`);
  }
  if (!content.startsWith("-----BEGIN ")) return content;
  throw new UserError(
    `${text(path)} is a private key, which belongs into no image.`,
    "Name its public half, which ends with .pub.",
  );
}
