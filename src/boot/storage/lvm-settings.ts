/** What the parameters say of LVM. Names and meanings of the first three are those of dracut.cmdline(7). */

import { text } from "../../lib/bytes.ts";
import { readSeconds } from "../../lib/seconds.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { switchValue } from "../cmdline/switch-word.ts";
import { isName } from "./lvm-names.ts";

export interface LvmSettings {
  readonly enabled: boolean;
  /** The volume groups of which every volume is activated. */
  readonly groups: readonly string[];
  /** The logical volumes that are activated, besides those that the root needs. */
  readonly volumes: readonly { readonly group: string; readonly volume: string }[];
  /** What may be activated when physical volumes are missing (lvchange(8), --activationmode). */
  readonly mode: ActivationMode;
  /** How long missing physical volumes are waited for. */
  readonly timeout_ms: number;
}

export type ActivationMode = "complete" | "degraded" | "partial";

interface Parameter {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  /** Adds its value to the settings; a sentence when it makes no sense. */
  readonly read: (settings: LvmSettings, value: string) => LvmSettings | string;
}

/** All parameters of LVM. */
export const lvmParameters: readonly Parameter[] = [
  {
    name: "rd.lvm",
    usage: "rd.lvm=0|1",
    meaning: "whether logical volumes are activated (default 1)",
    read: (settings, value) => {
      const enabled = value === "" || switchValue(value);
      return enabled === undefined ? "it is neither 0 nor 1." : { ...settings, enabled };
    },
  },
  {
    name: "rd.lvm.vg",
    usage: "rd.lvm.vg=NAME",
    meaning:
      "activate all logical volumes of this volume group, and of no other that is not named; may be repeated",
    read: (settings, value) =>
      isName(value)
        ? { ...settings, groups: [...settings.groups, value] }
        : "it is not the name of a volume group.",
  },
  {
    name: "rd.lvm.lv",
    usage: "rd.lvm.lv=VG/LV",
    meaning: "activate this logical volume, and no other that is not named; may be repeated",
    read: (settings, value) => {
      const [group = "", volume = "", ...more] = value.replace(/^\/dev\//, "").split("/");
      return isName(group) && isName(volume) && more.length === 0
        ? { ...settings, volumes: [...settings.volumes, { group, volume }] }
        : "it has to be a volume group and a logical volume with a slash between them.";
    },
  },
  {
    name: "rd.lvm.activationmode",
    usage: "rd.lvm.activationmode=complete|degraded|partial",
    meaning:
      "what to activate although physical volumes are missing: nothing that needs them (the default), RAID volumes " +
      "that can do without, or anything, with errors where data is missing",
    read: (settings, value) => {
      const mode = (["complete", "degraded", "partial"] as const).find((known) => known === value);
      return mode === undefined ? "there is no such mode." : { ...settings, mode };
    },
  },
  {
    name: "rd.lvm.timeout",
    usage: "rd.lvm.timeout=SECONDS",
    meaning: "how long to wait for missing physical volumes (default 30)",
    read: (settings, value) => {
      const timeout_ms = readSeconds(value);
      return typeof timeout_ms === "string" ? timeout_ms : { ...settings, timeout_ms };
    },
  },
];

/** Reads the parameters of LVM, the later ones before the earlier; `complaints` are sentences about what makes no sense. */
export function readLvmSettings(words: readonly Word[]): { settings: LvmSettings; complaints: string[] } {
  let settings = defaults;
  const complaints: string[] = [];
  for (const { name, value = "" } of words) {
    const parameter = lvmParameters.find((known) => sameName(known.name, name));
    const result = parameter?.read(settings, value) ?? settings;
    if (typeof result !== "string") settings = result;
    else complaints.push(`${text(`${name}=${value}`)} is ignored: ${result} Usage: ${parameter?.usage}.`);
  }
  return { settings, complaints };
}

const defaults: LvmSettings = {
  enabled: true,
  groups: [],
  volumes: [],
  mode: "complete",
  timeout_ms: 30_000,
};
