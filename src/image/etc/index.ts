/** What an image takes from /etc of the root that it is made for. */

import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";
import { hooksPart } from "./hooks.ts";
import { hostidPart } from "./hostid.ts";
import { keyboardPart } from "./keyboard.ts";
import { modprobePart } from "./modprobe.ts";
import { crypttabPart, type CryptWishes, fstabPart, type MountWishes } from "./tables.ts";

/** What is known of the machine, and what is asked for. */
export type EtcWishes = CryptWishes & MountWishes;

/**
 * The parts of /etc that process 1 reads: crypttab, fstab, hostid, the keyboard, modprobe.d, and hooks. Each is
 * left out where the root has nothing of it.
 */
export function etcParts(root: FileTree, wishes: EtcWishes = {}): Part[] {
  return [
    ...crypttabPart(root, wishes),
    ...fstabPart(root, wishes),
    ...hostidPart(root),
    ...keyboardPart(root),
    ...modprobePart(root),
    ...hooksPart(root),
  ];
}
