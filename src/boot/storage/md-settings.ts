/** The parameters of arrays of md: dracut.cmdline(7), with rd.md.timeout and rd.md.optional besides. */

import { text } from "../../lib/bytes.ts";
import { readSeconds } from "../../lib/seconds.ts";
import { dashUuid } from "../../lib/uuid.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { switchValue } from "../cmdline/switch-word.ts";

export interface MdSettings {
  /** False leaves all arrays alone. */
  readonly enabled: boolean;
  /** The only arrays to be put together, by dashed UUIDs; empty takes whatever appears. */
  readonly uuids: readonly string[];
  /** Whether mdadm.conf in the image counts. */
  readonly conf: boolean;
  /** How long the missing members of an array are waited for, from its first member on; undefined is for ever. */
  readonly timeout_ms: number | undefined;
  /** Arrays that hold up no boot, and whose failure is no problem. */
  readonly optional: readonly string[];
}

interface Parameter {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  /** Adds a value to the settings; a sentence when it makes no sense. */
  readonly read: (value: string, settings: MdSettings) => MdSettings | string;
}

/** Every parameter, in the order of the manual. */
export const mdParameters: readonly Parameter[] = [
  {
    name: "rd.md",
    usage: "rd.md=0|1",
    meaning: "whether arrays of md are put together (default 1)",
    read: readSwitch("enabled"),
  },
  {
    name: "rd.md.uuid",
    usage: "rd.md.uuid=UUID",
    meaning: "put together this array and no other, in any spelling of its UUID; may be given often",
    read: readUuids("uuids"),
  },
  {
    name: "rd.md.conf",
    usage: "rd.md.conf=0|1",
    meaning: "whether mdadm.conf in the image counts (default 1)",
    read: readSwitch("conf"),
  },
  {
    name: "rd.md.timeout",
    usage: "rd.md.timeout=SECONDS",
    meaning:
      "how long to wait for missing members before an array is started degraded (default 30, or two thirds of " +
      "rd.retry=; 0 never starts it so)",
    read: (value, settings) => {
      const timeout_ms = readSeconds(value);
      if (typeof timeout_ms === "string") return timeout_ms;
      return { ...settings, timeout_ms: timeout_ms === 0 ? undefined : timeout_ms };
    },
  },
  {
    name: "rd.md.optional",
    usage: "rd.md.optional=UUID[,UUID]",
    meaning: "arrays that hold up no boot, and whose failure is no problem; rd.md.uuid= need not name them",
    read: readUuids("optional"),
  },
];

/** What the words say of arrays, and a sentence for each that could not be used. */
export function readMdSettings(words: readonly Word[]): { settings: MdSettings; complaints: string[] } {
  let settings = withRetry(words, defaults);
  const complaints: string[] = [];
  for (const { name, value } of words) {
    const parameter = mdParameters.find((known) => sameName(known.name, name));
    if (parameter === undefined) continue;
    // A bare switch turns on, as everywhere.
    const result = parameter.read(value ?? (parameter.usage.endsWith("0|1") ? "1" : ""), settings);
    if (typeof result !== "string") settings = result;
    else
      complaints.push(
        `${text(value === undefined ? name : `${name}=${value}`)} is ignored: ${result} Usage: ${parameter.usage}.`,
      );
  }
  return { settings, complaints };
}

// As in dracut, whose initqueue starts them when so much of its own time has passed.
function withRetry(words: readonly Word[], settings: MdSettings): MdSettings {
  const value = words.findLast(({ name }) => sameName(name, "rd.retry"))?.value ?? "";
  const all_ms = readSeconds(value);
  if (typeof all_ms === "string" || all_ms === 0) return settings;
  return { ...settings, timeout_ms: Math.round((all_ms * 2) / 3) };
}

const defaults: MdSettings = { enabled: true, uuids: [], conf: true, timeout_ms: 30_000, optional: [] };

function readSwitch(key: "enabled" | "conf"): Parameter["read"] {
  return (value, settings) => {
    const on = switchValue(value);
    return on === undefined ? "it is neither 0 nor 1." : { ...settings, [key]: on };
  };
}

function readUuids(key: "uuids" | "optional"): Parameter["read"] {
  return (value, settings) => {
    const uuids = value.split(",").map(dashUuid);
    const known = uuids.filter((uuid) => uuid !== undefined);
    if (known.length < uuids.length) return "it is not the UUID of an array.";
    return { ...settings, [key]: [...new Set([...settings[key], ...known])] };
  };
}
