/** The options of an encrypted volume, as crypttab(5) of systemd and of Debian have them in their fourth field. */

import { text } from "../../lib/bytes.ts";
import { type KeyPlace, readKey } from "../../storage/crypttab.ts";
import { splitOptions } from "../../storage/option-list.ts";
import { readTimeSpan } from "../mount/fstab-plan.ts";
import { switchValue } from "../cmdline/switch-word.ts";

export interface VolumeOptions {
  /** Arguments for `cryptsetup open`. */
  readonly flags: readonly string[];
  /** How many passphrases may be wrong; 0 is without a limit. */
  readonly tries: number;
  /** How long a passphrase is waited for; undefined as rd.luks.timeout= says. */
  readonly timeout_ms: number | undefined;
  /** How long the device with the key, or with the header, is waited for. */
  readonly keyTimeout_ms: number;
  /** What of the key file is the key: arguments for cryptsetup. */
  readonly keyFlags: readonly string[];
  readonly header: KeyPlace | undefined;
  /** The node of the TPM with the key, or the one that there is; undefined when nobody has asked for one. */
  readonly tpm: string | "auto" | undefined;
  /** How long the TPM is waited for; undefined is for ever. */
  readonly tokenTimeout_ms: number | undefined;
  /** A person may be asked. */
  readonly ask: boolean;
  /** The volume is left to the real system. */
  readonly later: boolean;
  /** Nothing waits for the volume but what needs it. */
  readonly mayFail: boolean;
  /** Why it can't be opened here, a clause; undefined when it can. */
  readonly obstacle: string | undefined;
}

const DEFAULTS: VolumeOptions = {
  flags: [],
  tries: 3,
  timeout_ms: undefined,
  keyTimeout_ms: 10_000,
  keyFlags: [],
  header: undefined,
  tpm: undefined,
  tokenTimeout_ms: 30_000,
  ask: true,
  later: false,
  mayFail: false,
  obstacle: undefined,
};

/** Reads a list of options. Those that make no sense are left out, and each is a complaint, a sentence. */
export function readVolumeOptions(
  list: string,
  volume: string,
): { options: VolumeOptions; complaints: string[] } {
  let options = DEFAULTS;
  const complaints: string[] = [];
  for (const option of splitOptions(list)) {
    const change = readOption(option, options);
    if (typeof change === "string")
      complaints.push(`the option ${text(option)} of ${text(volume)} is left out: ${change}.`);
    else options = { ...options, ...change };
  }
  return { options, complaints };
}

function readOption(written: string, options: VolumeOptions): Partial<VolumeOptions> | string {
  const equals = written.indexOf("=");
  const name = equals < 0 ? written : written.slice(0, equals);
  const value = equals < 0 ? undefined : written.slice(equals + 1);
  if (Object.hasOwn(FLAGS, name)) return { flags: [...options.flags, FLAGS[name] ?? ""] };
  if (Object.hasOwn(OBSTACLES, name)) return { obstacle: OBSTACLES[name] };
  if (USELESS.has(name) || name.startsWith("x-")) return {};
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  return read?.(value ?? "", options) ?? "rdinit does not know it";
}

/** Options that are arguments of `cryptsetup open`. */
const FLAGS: Readonly<Record<string, string>> = {
  discard: "--allow-discards",
  "allow-discards": "--allow-discards",
  readonly: "--readonly",
  "read-only": "--readonly",
  "no-read-workqueue": "--perf-no_read_workqueue",
  "no-write-workqueue": "--perf-no_write_workqueue",
  "same-cpu-crypt": "--perf-same_cpu_crypt",
  "submit-from-crypt-cpus": "--perf-submit_from_crypt_cpus",
  "integrity-no-journal": "--integrity-no-journal",
};

const OBSTACLES: Readonly<Record<string, string>> = {
  plain: "it is no LUKS volume but a plain one",
  tcrypt: "it is no LUKS volume but one of TrueCrypt",
  bitlk: "it is no LUKS volume but one of BitLocker",
  swap: "it gets a new key at every boot, which is for the real system to do",
  tmp: "it gets a new key at every boot, which is for the real system to do",
};

/** What the header of a volume says itself, what is for the real system, and what rdinit does anyway. */
const USELESS: ReadonlySet<string> = new Set([
  ...["luks", "cipher", "hash", "size", "sector-size", "offset", "skip", "none"],
  ...["initramfs", "noearly", "_netdev", "auto", "loud", "quiet", "verify"],
  ...["check", "checkargs", "precheck", "password-echo", "password-cache", "keyfile-erase", "force"],
  ...["tpm2-pin", "tpm2-pcrs", "tpm2-signature", "fido2-device"],
]);

type Reader = (value: string, options: VolumeOptions) => Partial<VolumeOptions> | string;

const READERS: Readonly<Record<string, Reader>> = {
  tries: (value) => (/^\d{1,4}$/.test(value) ? { tries: Number(value) } : "it is not a number"),
  timeout: (value) => {
    const timeout_ms = readDeadline(value);
    return typeof timeout_ms === "string" ? timeout_ms : { timeout_ms: timeout_ms || undefined };
  },
  "keyfile-timeout": (value) => {
    const keyTimeout_ms = readSpan(value);
    return typeof keyTimeout_ms === "string" ? keyTimeout_ms : { keyTimeout_ms };
  },
  "keyfile-size": (value, { keyFlags }) => keyNumber("--keyfile-size", value, keyFlags),
  "keyfile-offset": (value, { keyFlags }) => keyNumber("--keyfile-offset", value, keyFlags),
  "key-slot": (value, { flags }) =>
    /^\d{1,2}$/.test(value) ? { flags: [...flags, "--key-slot", value] } : "it is not a number",
  keyslot: (value, options) => READERS["key-slot"]?.(value, options) ?? {},
  header: (value) => {
    const header = readKey(value);
    return header?.path.startsWith("/") === true ? { header } : "it names no path";
  },
  "tpm2-device": (value) =>
    value === "auto" || value.startsWith("/dev/")
      ? { tpm: value }
      : "it is neither auto nor the path of a device",
  "token-timeout": (value) => {
    const tokenTimeout_ms = readDeadline(value);
    return typeof tokenTimeout_ms === "string"
      ? tokenTimeout_ms
      : { tokenTimeout_ms: tokenTimeout_ms || undefined };
  },
  headless: (value) => ({ ask: switchValue(value) === false }),
  noauto: () => ({ later: true }),
  nofail: () => ({ mayFail: true }),
  keyscript: () => "scripts for keys are not run",
  "pkcs11-uri": () => "keys of smart cards need a daemon that no image has",
};

function keyNumber(flag: string, value: string, flags: readonly string[]): Partial<VolumeOptions> | string {
  return /^\d{1,12}$/.test(value) ? { keyFlags: [...flags, flag, value] } : "it is not a number of bytes";
}

/** What "infinity" is where a number is needed. */
const DAY_MS = 86_400_000;

// systemd.time(7), as in fstab. 0 does not wait at all, or for ever, as the option has it.
function readSpan(value: string): number | string {
  const span = value === "0" ? 0 : readTimeSpan(value);
  if (span === undefined) return "it is no span of time";
  return span === "for ever" ? DAY_MS : span;
}

// 0 and infinity are for ever.
function readDeadline(value: string): number | string {
  return value === "infinity" ? 0 : readSpan(value);
}
