/**
 * Started from a real filesystem: no initramfs, but a small boot partition that the kernel itself has mounted as `/`,
 * by root= and init= on its command line. Those two name the boot partition and rdinit then, and not the real root;
 * and the boot partition is kept, below a directory of the new root.
 */

import {
  AT_FDCWD,
  MS_RDONLY,
  MS_REMOUNT,
  RAMFS_MAGIC,
  type Syscalls,
  TMPFS_MAGIC,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import type { Log } from "../log.ts";
import { parseMountOptions } from "../mount/mountoptions.ts";
import { resolveInRoot } from "../mount/resolve.ts";

/** What process 1 was started from. */
export type Start = "rootfs" | "filesystem";

/** Where the old root goes, and how it is mounted there. */
export interface OldRootSettings {
  /** A directory of the new root; undefined when the old root is to be unmounted. */
  readonly place: string | undefined;
  /** Somebody asked for that place by name. */
  readonly asked: boolean;
  /** MS_* */
  readonly flags: number;
  /** Options for the filesystem itself. */
  readonly data: string;
}

export const oldRootParameters = [
  {
    name: "rd.oldroot",
    usage: "rd.oldroot=PATH|none",
    meaning:
      "where the filesystem goes that the kernel started rdinit from, without an initramfs: a directory of the new " +
      "root (default /boot, when it is there); none unmounts it",
  },
  {
    name: "rd.oldroot.flags",
    usage: "rd.oldroot.flags=OPTIONS",
    meaning: "mount options for it there, as in fstab(5) (default rw)",
  },
] as const;

/** The last word that makes sense counts. Complaints are sentences. */
export function readOldRootSettings(words: readonly Word[]): {
  settings: OldRootSettings;
  complaints: string[];
} {
  let settings: OldRootSettings = { place: "/boot", asked: false, flags: 0, data: "" };
  const complaints: string[] = [];
  for (const { name, value = "" } of words) {
    const known = oldRootParameters.find((parameter) => sameName(parameter.name, name));
    if (known === undefined) continue;
    if (known.name === "rd.oldroot.flags" && value !== "")
      settings = { ...settings, ...parseMountOptions(value) };
    else if (known.name === "rd.oldroot" && isPlace(value))
      settings = { ...settings, place: value === "none" ? undefined : value, asked: value !== "none" };
    else complaints.push(`${name}=${text(value)} is ignored: it makes no sense here. Usage: ${known.usage}.`);
  }
  return { settings, complaints };
}

/** Whether `/` is a filesystem in memory, as an initramfs is unpacked into, or a real one. */
export function startedFrom(sys: Syscalls): Start {
  const { type } = sys.statfs("/");
  return type === TMPFS_MAGIC || type === RAMFS_MAGIC ? "rootfs" : "filesystem";
}

/**
 * Of the kernel's words those that are meant for rdinit. Started from a real filesystem, rdinit leaves those to the
 * kernel that said how it shall mount and start that.
 */
export function wordsForUs(words: readonly Word[], start: Start): readonly Word[] {
  if (start === "rootfs") return words;
  return words.filter(({ name }) => !kernelsOwn.some((own) => sameName(own, name)));
}

/** What the kernel reads to mount its own root and to start its own init (init/do_mounts.c, init/main.c). */
const kernelsOwn: readonly string[] = [
  ...["root", "rootfstype", "rootflags", "ro", "rw", "rootwait", "rootdelay", "init"],
];

/** What a parameter means with "rd." in front; undefined for one that has no such form. */
export function meaningForUs(name: string): string | undefined {
  return forUs.find(([own]) => own === name)?.[1];
}

/** True for a word in such a form. */
export function isForUs({ name }: Word): boolean {
  return forUs.some(([own]) => sameName(`rd.${own}`, name));
}

/** What the kernel reads for itself, too, is with "rd." in front for us alone, as in systemd. */
const forUs: readonly (readonly [name: string, meaning: string])[] = [
  [
    "root",
    "the same as root=, for rdinit alone, and stronger: names the real root where root= names the boot partition, " +
      "which the kernel mounts itself",
  ],
  ["rootfstype", "the same as rootfstype=, for rdinit alone"],
  ["rootflags", "the same as rootflags=, for rdinit alone"],
  ["ro", "the same as ro, for rdinit alone"],
  ["rw", "the same as rw, for rdinit alone"],
  ["init", "the same as init=, for rdinit alone"],
];

/** The directory of the new root that the old one goes to; undefined when it is to be unmounted. Changes nothing. */
export function oldRootPlace(
  sys: Syscalls,
  log: Log,
  newRoot: string,
  { place, asked }: OldRootSettings,
): string | undefined {
  if (place === undefined) return undefined;
  // Without symlinks: an absolute one would lead into the old root until the new one has taken its place.
  const real = resolveInRoot(sys, newRoot, place);
  const directory = real?.slice(newRoot.length) ?? "/";
  // A link may lead to the new root itself, which the old one would cover.
  if (real !== undefined && directory !== "/" && sys.stat(AT_FDCWD, real).type === "directory")
    return directory;
  if (asked)
    log.warning(
      `the new root has no directory ${text(place)}, which rd.oldroot= names: the boot filesystem is unmounted.`,
    );
  return undefined;
}

/** Gives the old root its mount options, at the place where it is now. A failure is told and stops nothing. */
export function remountOldRoot(sys: Syscalls, log: Log, { place, flags, data }: OldRootSettings): void {
  if (place === undefined) return;
  try {
    sys.mount("", place, "", MS_REMOUNT | flags, data);
  } catch (error) {
    const how = (flags & MS_RDONLY) === 0 ? "read-write" : "read-only";
    log.warning(
      `the boot filesystem on ${text(place)} stays as the kernel mounted it, and is not made ${how}: ${describe(error)}.`,
    );
  }
}

// With ".." it might be the new root itself, or lie outside of it.
function isPlace(value: string): boolean {
  return value === "none" || (/^\/[^/]/.test(value) && !value.split("/").includes(".."));
}
