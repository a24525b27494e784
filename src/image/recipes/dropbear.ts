/** What dropbear needs for a login: an account, the keys that may come in, and keys of its own. */

import type { FileTree } from "../file-tree.ts";
import type { MadeFile } from "../part.ts";
import { accountFiles, nameServices } from "./accounts.ts";
import { findFiles } from "./look.ts";
import type { RecipeAddition, RecipeContext } from "./recipe.ts";

/**
 * Keys are taken only from where they were made for an image (Debian's dropbear-initramfs): those in /etc/dropbear
 * are the system's own, and whoever reads an image could pass for it.
 */
const KEY_DIRECTORIES: readonly string[] = ["/etc/dropbear/initramfs", "/etc/dropbear-initramfs"];

/** Accounts, host keys and authorized keys; a note for keys that are not there. */
export function dropbearAddition(
  root: FileTree,
  { programs: [program = ""] }: RecipeContext,
): RecipeAddition {
  const found = KEY_DIRECTORIES.map((directory) => findFiles(root, `${directory}/dropbear_*_host_key`));
  const hostKeys = found.find((paths) => paths.length > 0) ?? [];
  const allowed = KEY_DIRECTORIES.map((directory) => root.read(`${directory}/authorized_keys`)).find(Boolean);
  const keys: MadeFile[] = hostKeys.map((path) => ({
    to: `/etc/dropbear/${path.slice(path.lastIndexOf("/") + 1)}`,
    data: root.read(path) ?? new Uint8Array(0),
    mode: 0o600,
  }));
  if (allowed) keys.push({ to: "/root/.ssh/authorized_keys", data: allowed, mode: 0o600 });
  const notes: string[] = [];
  if (hostKeys.length === 0)
    notes.push(`dropbear has no host key: there is no ${KEY_DIRECTORIES[0]}/dropbear_*_host_key.`);
  if (!allowed)
    notes.push(`Nobody can log in by dropbear: there is no ${KEY_DIRECTORIES[0]}/authorized_keys.`);
  return { programs: nameServices(root, program), made: [...accountFiles(root), ...keys], notes };
}
