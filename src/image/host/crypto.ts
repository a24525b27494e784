/**
 * The ciphers of encrypted disks. /sys does not say which one a volume has, so all count that somebody uses
 * just now (/proc/crypto), and those that LUKS takes unless told otherwise.
 */

import type { FileTree } from "../file-tree.ts";
import { readText } from "./sysfs.ts";

/** Names and aliases of modules; another kernel may have them in itself, or need fewer. */
export function cryptoModules(root: FileTree): string[] {
  const wanted = new Set(USUAL);
  for (const { name, module, inUse } of parseCrypto(readText(root, "/proc/crypto") ?? "")) {
    if (!inUse) continue;
    if (module !== "kernel") wanted.add(module);
    // "xts(aes)" was made of two; the kernel asks for "crypto-xts" and "crypto-aes".
    for (const part of name.split(/[(),]/)) if (part !== "") wanted.add(`crypto-${part}`);
  }
  return [...wanted];
}

/** An entry of /proc/crypto. */
export interface Algorithm {
  readonly name: string;
  /** The module that has it; "kernel" for one that is built in. */
  readonly module: string;
  readonly inUse: boolean;
}

/** The algorithms that /proc/crypto lists, without those that serve only others. */
export function parseCrypto(text: string): Algorithm[] {
  return text.split("\n\n").flatMap((entry) => {
    const field = (key: string) => new RegExp(`^${key} *: (.+)$`, "m").exec(entry)?.[1];
    const [name, module = ""] = [field("name"), field("module")];
    if (name === undefined || !/^[\w-]+$/.test(module) || field("internal") === "yes") return [];
    return [{ name, module, inUse: Number(field("refcnt")) > 1 }];
  });
}

/** What cryptsetup-luksFormat(8) takes by default, what older ones took, and its own way to the kernel's ciphers. */
const USUAL: readonly string[] = [
  ...["aes", "cbc", "essiv", "hmac", "sha1", "sha256", "sha512", "xts"].map((name) => `crypto-${name}`),
  ...["algif_hash", "algif_skcipher"],
];
