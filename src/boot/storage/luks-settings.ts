/** What the command line says about encrypted volumes: dracut.cmdline(7) and systemd-cryptsetup-generator(8). */

import { text } from "../../lib/bytes.ts";
import { type KeyPlace, readKey } from "../../storage/crypttab.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { switchValue } from "../cmdline/switch-word.ts";

/** A value for the volumes whose UUID begins with `uuid`, or for all those that have none of their own. */
export interface ForVolume<T> {
  /** Hexadecimal digits, lower case, without dashes. */
  readonly uuid: string | undefined;
  readonly value: T;
}

/** All strings are byte strings. */
export interface LuksSettings {
  readonly enabled: boolean;
  /** Whether the image's crypttab counts. */
  readonly crypttab: boolean;
  /** Beginnings of the UUIDs of the volumes to open, as in `ForVolume`. */
  readonly uuids: readonly string[];
  readonly names: readonly ForVolume<string>[];
  readonly options: readonly ForVolume<string>[];
  /** Volumes whose discards pass, whatever their options are. */
  readonly discards: readonly ForVolume<true>[];
  readonly keys: readonly ForVolume<KeyPlace>[];
  readonly headers: readonly ForVolume<KeyPlace>[];
  /** The encrypted device of a volume whose header is elsewhere, as fstab(5) names one. */
  readonly data: readonly ForVolume<string>[];
  /** How long a passphrase is waited for; undefined is for ever. */
  readonly timeout_ms: number | undefined;
}

type Change = (settings: LuksSettings, value: string) => Partial<LuksSettings> | string;

/** The parameters, by the part of their name behind "rd.". */
const PARAMETERS: readonly {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  readonly change: Change;
}[] = [
  {
    name: "luks",
    usage: "rd.luks=0|1",
    meaning: "whether encrypted volumes (LUKS) are opened (default 1)",
    change: (_, value) => readSwitch(value, (enabled) => ({ enabled })),
  },
  {
    name: "luks.crypttab",
    usage: "rd.luks.crypttab=0|1",
    meaning: "whether the image's /etc/crypttab counts (default 1)",
    change: (_, value) => readSwitch(value, (crypttab) => ({ crypttab })),
  },
  {
    name: "luks.uuid",
    usage: "rd.luks.uuid=UUID",
    meaning: "open this volume; the beginning of its UUID is enough, and luks- may stand in front",
    change: ({ uuids }, value) => {
      // dracut's mark of a volume that holds keys of others; here any that is open may.
      const uuid = readUuid(value.replace(/^keysource:/, ""));
      return uuid === undefined ? NO_UUID : { uuids: [...uuids, uuid] };
    },
  },
  {
    name: "luks.name",
    usage: "rd.luks.name=UUID=NAME",
    meaning: "open this volume as /dev/mapper/NAME",
    change: ({ uuids, names }, value) => {
      const named = forVolume(value);
      if (named.uuid === undefined) return NO_UUID;
      if (!isMapperName(named.value)) return "the name can't be one below /dev/mapper.";
      return { uuids: [...uuids, named.uuid], names: [...names, named] };
    },
  },
  {
    name: "luks.options",
    usage: "rd.luks.options=[UUID=]OPTION[,OPTION]",
    meaning: "options as in crypttab(5): discard, tries=, keyfile-timeout=, header= and others",
    change: ({ options }, value) => ({ options: [...options, forVolume(value)] }),
  },
  {
    name: "luks.allow-discards",
    usage: "rd.luks.allow-discards[=UUID]",
    meaning: "let this volume, or all, pass discards to the disk; as rd.luks.options=discard does",
    change: ({ discards }, value) => {
      const uuid = value === "" ? undefined : readUuid(value);
      return value !== "" && uuid === undefined
        ? NO_UUID
        : { discards: [...discards, { uuid, value: true }] };
    },
  },
  {
    name: "luks.key",
    usage: "rd.luks.key=[UUID=]PATH[:DEVICE[:UUID]]",
    meaning: "the file that holds the key, in the image or on a device (UUID=, LABEL=, /dev/…)",
    change: ({ keys }, value) => {
      const key = readKeyFor(value);
      return typeof key === "string" ? key : { keys: [...keys, key] };
    },
  },
  {
    name: "luks.header",
    usage: "rd.luks.header=[UUID=]PATH[:DEVICE]",
    meaning: "the file that holds the volume's header, in the image or on a device",
    change: ({ headers }, value) => {
      const { uuid, value: place } = forVolume(value);
      const header = readKey(place);
      return header?.path.startsWith("/") === true
        ? { headers: [...headers, { uuid, value: header }] }
        : "it names no path.";
    },
  },
  {
    name: "luks.data",
    usage: "rd.luks.data=UUID=DEVICE",
    meaning: "the encrypted device of a volume whose header is elsewhere",
    change: ({ data }, value) => {
      const named = forVolume(value);
      return named.uuid === undefined ? NO_UUID : { data: [...data, named] };
    },
  },
  {
    name: "luks.timeout",
    usage: "rd.luks.timeout=SECONDS",
    meaning:
      "how long a passphrase is waited for (default 0, for ever); rd.emergency= says what happens then",
    change: (_, value) => {
      if (!/^\d{1,6}$/.test(value)) return "it is not a number of seconds.";
      return { timeout_ms: value === "0" ? undefined : Number(value) * 1000 };
    },
  },
];

/** For --help and the manual. */
export const luksParameters: readonly {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
}[] = PARAMETERS.map(({ name, usage, meaning }) => ({ name: `rd.${name}`, usage, meaning }));

/** Reads the words; complaints are sentences. As for systemd, the names count without "rd." too. */
export function readLuksSettings(words: readonly Word[]): {
  settings: LuksSettings;
  complaints: string[];
} {
  let settings = NOTHING_SAID;
  const complaints: string[] = [];
  for (const { name, value = "" } of words) {
    const parameter = PARAMETERS.find((one) => sameName(one.name, name.replace(/^rd\./, "")));
    if (parameter === undefined) continue;
    const change = parameter.change(settings, value);
    if (typeof change === "string")
      complaints.push(`${text(name)}=${text(value)} is ignored: ${change} Usage: ${parameter.usage}.`);
    else settings = { ...settings, ...change };
  }
  return { settings, complaints };
}

/** What is said for the volume with this UUID, last word first; what is said for all is the last resort. */
export function settingFor<T>(list: readonly ForVolume<T>[], uuid: string): T | undefined {
  return ownSettingFor(list, uuid) ?? list.findLast((one) => one.uuid === undefined)?.value;
}

/** What is said for the volume with this UUID alone. */
export function ownSettingFor<T>(list: readonly ForVolume<T>[], uuid: string): T | undefined {
  return list.findLast((one) => one.uuid !== undefined && hasPrefix(uuid, one.uuid))?.value;
}

/** True when a UUID in any spelling begins with these digits. */
export function hasPrefix(uuid: string, digits: string): boolean {
  return uuid.replaceAll("-", "").toLowerCase().startsWith(digits);
}

/** The digits of a UUID or its beginning; undefined for other text. */
export function readUuid(written: string): string | undefined {
  const digits = written
    .replace(/^luks-/i, "")
    .replaceAll("-", "")
    .toLowerCase();
  return /^[0-9a-f]{1,32}$/.test(digits) ? digits : undefined;
}

/** True for what can be the name of a device below /dev/mapper (libdevmapper's DM_NAME_LEN). */
export function isMapperName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && name.length < 128 && !/[/\0]/.test(name);
}

const NOTHING_SAID: LuksSettings = {
  enabled: true,
  crypttab: true,
  uuids: [],
  names: [],
  options: [],
  discards: [],
  keys: [],
  headers: [],
  data: [],
  timeout_ms: undefined,
};

const NO_UUID = "it does not begin with a UUID.";

// "UUID=value", or a value alone. No option and no path looks like eight hexadecimal digits and "=".
function forVolume(written: string): ForVolume<string> {
  const [, uuid, value = ""] = /^(?:luks-)?([0-9a-f-]{8,36})=([^]*)$/i.exec(written) ?? [];
  return uuid === undefined ? { uuid, value: written } : { uuid: readUuid(uuid), value };
}

// dracut's "path:keydev:luksdev", and systemd's "UUID=path:keydev".
function readKeyFor(written: string): ForVolume<KeyPlace> | string {
  const { uuid, value } = forVolume(written);
  const [, place = value, volume] = /^([^]*):(?:UUID=|luks-)?([0-9a-f][0-9a-f-]{7,})$/i.exec(value) ?? [];
  // A volume stands behind a device only: "path:UUID=…" names the device.
  const last = volume === undefined ? undefined : readKey(place);
  const hasVolume = uuid === undefined && last?.device !== undefined;
  const key = hasVolume ? last : readKey(value.replace(/:+$/, ""));
  if (key?.path.startsWith("/") !== true) return "it names no path.";
  return { uuid: hasVolume ? readUuid(volume ?? "") : uuid, value: key };
}

function readSwitch(
  value: string,
  set: (on: boolean) => Partial<LuksSettings>,
): Partial<LuksSettings> | string {
  const on = value === "" || switchValue(value);
  return on === undefined ? "it is neither 0 nor 1." : set(on);
}
