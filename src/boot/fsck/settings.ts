/** What the command line asks of file system checks: systemd-fsck@.service(8), and the words of older scripts. */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { switchValue } from "../cmdline/switch-word.ts";

export interface FsckSettings {
  /** "auto" lets the tool of each filesystem decide, "force" checks all, "skip" none. */
  readonly mode: "auto" | "force" | "skip";
  /** What a tool may mend: what is safe, everything, or nothing. */
  readonly repair: "preen" | "yes" | "no";
}

export const fsckParameters = [
  {
    name: "fsck.mode",
    usage: "fsck.mode=auto|force|skip",
    meaning:
      "whether filesystems are checked before they are mounted: as their tools see fit (the default), always, or never",
  },
  {
    name: "fsck.repair",
    usage: "fsck.repair=preen|yes|no",
    meaning: "what a check may mend: what is safe (the default), everything, or nothing",
  },
  { name: "fastboot", usage: "fastboot", meaning: "the same as fsck.mode=skip" },
  { name: "rd.skipfsck", usage: "rd.skipfsck[=0|1]", meaning: "the same as fsck.mode=skip" },
  { name: "forcefsck", usage: "forcefsck", meaning: "the same as fsck.mode=force" },
] as const;

type Name = (typeof fsckParameters)[number]["name"];

/** The last word that makes sense counts. Complaints are sentences. */
export function readFsckSettings(words: readonly Word[]): { settings: FsckSettings; complaints: string[] } {
  let settings: FsckSettings = { mode: "auto", repair: "preen" };
  const complaints: string[] = [];
  for (const { name, value } of words) {
    const known = fsckParameters.find((parameter) => sameName(parameter.name, name));
    if (known === undefined) continue;
    const read = readWord(known.name, value);
    if (read === undefined)
      complaints.push(
        `${name}=${text(value ?? "")} is ignored: it makes no sense here. Usage: ${known.usage}.`,
      );
    else settings = { ...settings, ...read };
  }
  return { settings, complaints };
}

function readWord(name: Name, value: string | undefined): Partial<FsckSettings> | undefined {
  switch (name) {
    case "fsck.mode":
      return value === "auto" || value === "force" || value === "skip" ? { mode: value } : undefined;
    case "fsck.repair":
      return value === "preen" || value === "yes" || value === "no" ? { repair: value } : undefined;
    case "fastboot":
      return value === undefined ? { mode: "skip" } : undefined;
    case "rd.skipfsck": {
      const on = value === undefined || switchValue(value);
      if (on === undefined) return undefined;
      return on ? { mode: "skip" } : {};
    }
    case "forcefsck":
      return value === undefined ? { mode: "force" } : undefined;
  }
}
