/** The lines of /etc/crypttab and /etc/fstab that matter before the real init runs. */

import { fromBytes, text, toBytes } from "../../lib/bytes.ts";
import { dashUuid, sameUuid } from "../../lib/uuid.ts";
import { type CrypttabEntry, isRandomKey, parseCrypttab, usualKeyPaths } from "../../storage/crypttab.ts";
import { type FstabEntry, parseFstab, sameMountPoint } from "../../storage/fstab.ts";
import { hasOption, optionValue } from "../../storage/option-list.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";

/** What is wanted of crypttab. */
export interface CryptWishes {
  /** The names and UUIDs of the encrypted devices below the root; undefined where they are not known. */
  readonly crypt?: readonly string[] | undefined;
  /** Take the key files of all these lines, not only of those that say x-initrd.attach. */
  readonly keyFiles?: boolean | undefined;
}

/** What is wanted of fstab. */
export interface MountWishes {
  /** Mount points besides / and /usr. */
  readonly mounts?: readonly string[] | undefined;
}

/**
 * /etc/crypttab with the lines for `crypt`, and those marked `initramfs` (Debian) or `x-initrd.attach` (systemd);
 * where nothing is known, all that say how to open a lasting volume. Detached headers come along, and key files as
 * `keyFiles` says: they open disks for whoever reads the image.
 */
export function crypttabPart(root: FileTree, wishes: CryptWishes): Part[] {
  const { entries, notes } = parseCrypttab(read(root, CRYPTTAB));
  const kept = entries.filter((entry) => isWantedVolume(entry, wishes.crypt));
  if (kept.length === 0) return [];
  const lines = kept.map((entry) => secretsOf(root, entry, wishes));
  return [
    {
      why: CRYPTTAB,
      files: lines.flatMap(({ files }) => files),
      made: [table(CRYPTTAB, kept)],
      notes: [...notes, ...lines.flatMap((line) => line.notes)],
    },
  ];
}

/** /etc/fstab with the lines of /, /usr, `mounts`, and those marked `x-initrd.mount`. */
export function fstabPart(root: FileTree, { mounts = [] }: MountWishes): Part[] {
  const { entries, notes } = parseFstab(read(root, FSTAB));
  const points = ["/", "/usr", ...mounts];
  const kept = entries.filter(
    ({ mountPoint, options }) =>
      hasOption(options, "x-initrd.mount") || points.some((one) => sameMountPoint(one, mountPoint)),
  );
  return kept.length === 0 ? [] : [{ why: FSTAB, made: [table(FSTAB, kept)], notes }];
}

const CRYPTTAB = "/etc/crypttab";
const FSTAB = "/etc/fstab";

function isWantedVolume({ name, device, key, options }: CrypttabEntry, crypt: CryptWishes["crypt"]): boolean {
  if (hasOption(options, "initramfs") || hasOption(options, "x-initrd.attach")) return true;
  // A key that changes with every boot belongs to swap or /tmp: opening that early would only do harm.
  if (isRandomKey(key) || hasOption(options, "swap") || hasOption(options, "tmp")) return false;
  if (crypt === undefined) return !hasOption(options, "noauto");
  const uuid = dashUuid(device.replace(/^UUID="?|^\/dev\/disk\/by-uuid\/|"$/gi, ""));
  return crypt.some((wanted) => wanted === name || (uuid !== undefined && sameUuid(wanted, uuid)));
}

interface Secrets {
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

// A key file of the running system; one that is on another device, or is a device, is read at boot.
function secretsOf(root: FileTree, entry: CrypttabEntry, { crypt, keyFiles }: CryptWishes): Secrets {
  const { name, key, options } = entry;
  const header = optionValue(options, "header");
  const files = header !== undefined && isFile(root, header) ? [header] : [];
  // Where nothing is known of the root, the volume may well be opened after the hand-over.
  const isNeeded = crypt !== undefined || hasOption(options, "initramfs");
  const script = optionValue(options, "keyscript");
  if (script !== undefined) {
    const note = `The key script ${text(script)} of ${text(name)} is not run by /init: a passphrase will be asked for.`;
    return { files, notes: isNeeded ? [note] : [] };
  }
  const path = key === undefined ? usualKeyIn(root, name) : key.path;
  if (path === undefined || key?.device !== undefined || !isFile(root, path)) return { files, notes: [] };
  if (keyFiles === true || hasOption(options, "x-initrd.attach")) {
    const note = `The image holds ${text(path)}, the key of ${text(name)}: whoever can read the image can open that disk.`;
    return { files: [...files, path], notes: [note] };
  }
  const note = `The key ${text(path)} of ${text(name)} is not in the image, as nothing says that it may be: a passphrase will be asked for.`;
  return { files, notes: isNeeded ? [note] : [] };
}

// What lies in /run is gone with the next boot.
function usualKeyIn(root: FileTree, name: string): string | undefined {
  return usualKeyPaths(name).find((path) => path.startsWith("/etc/") && isFile(root, path));
}

function isFile(root: FileTree, path: string): boolean {
  return path.startsWith("/") && root.resolve(path)?.type === "file";
}

function table(
  to: string,
  entries: readonly (CrypttabEntry | FstabEntry)[],
): { to: string; data: Uint8Array } {
  return { to, data: toBytes(entries.map((entry) => `${entry.text}\n`).join("")) };
}

function read(root: FileTree, path: string): string {
  return fromBytes(root.read(path) ?? new Uint8Array(0));
}
