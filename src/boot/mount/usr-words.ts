/**
 * A /usr that the command line names, as no fstab does: mount.usr= of systemd-fstab-generator(8), whose
 * add_sysroot_usr_mount() this follows.
 */

import type { FstabEntry } from "../../storage/fstab.ts";
import { splitOptions } from "../../storage/option-list.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";

export const usrParameters = [
  {
    name: "mount.usr",
    usage: "mount.usr=DEVICE",
    meaning:
      "mount /usr from this device, named as root= names one, whatever fstab says (default: that of the root)",
  },
  {
    name: "mount.usrfstype",
    usage: "mount.usrfstype=TYPE[,TYPE]",
    meaning: "the type of the filesystem for /usr (default: that of rootfstype=)",
  },
  {
    name: "mount.usrflags",
    usage: "mount.usrflags=OPTIONS",
    meaning: "mount options for /usr, ro or rw like the root's without these (default: those of rootflags=)",
  },
] as const;

/** The line of fstab that the words amount to; undefined when they say nothing of /usr. */
export function readUsr(words: readonly Word[]): FstabEntry | undefined {
  const last = (...names: readonly string[]): string | undefined =>
    words.findLast((word) => names.some((name) => sameName(name, word.name)) && word.value)?.value;
  const own = usrParameters.map(({ name }) => last(name));
  if (own.every((value) => value === undefined)) return undefined;
  const [usr, usrType, usrFlags] = own;
  const device = usr ?? last("rd.root") ?? last("root");
  if (device === undefined) return undefined;
  const options = usrFlags ?? last("rd.rootflags") ?? last("rootflags") ?? "";
  const type = usrType ?? last("rd.rootfstype") ?? last("rootfstype") ?? "auto";
  const isSaid = splitOptions(options).some((option) => option === "ro" || option === "rw");
  const list = [...(options === "" ? [] : [options]), ...(isSaid ? [] : [isWritable(words) ? "rw" : "ro"])];
  return {
    device,
    mountPoint: "/usr",
    type,
    options: list.join(","),
    frequency: 0,
    pass: 1,
    line: 0,
    text: `${device} /usr`,
  };
}

/** True for the entry of `readUsr`, which no fstab holds. */
export function isFromWords({ line }: FstabEntry): boolean {
  return line === 0;
}

function isWritable(words: readonly Word[]): boolean {
  const last = (...names: readonly string[]): Word | undefined =>
    words.findLast(({ name }) => names.includes(name));
  return (last("rd.ro", "rd.rw") ?? last("ro", "rw"))?.name.endsWith("rw") === true;
}
