/** authorized_keys: read as sshd(8) reads it, kept as dropbear(8) reads it, which is stricter (its svr-authpubkey.c). */

import { text } from "../../lib/bytes.ts";
import { readString } from "../../lib/ssh-key.ts";

/** The keys of a file. */
export interface AuthorizedKeys {
  /** A line for each key that dropbear would take, without its end. */
  readonly lines: readonly string[];
  /** Sentences about the others, and about what the options of a key do here. */
  readonly notes: readonly string[];
}

/**
 * Reads `content`, a byte string; `place` is the file for sentences. `knows` tells which types of keys this dropbear
 * has. A line with an option that dropbear does not know stays out whole, as dropbear refuses it.
 */
export function readAuthorizedKeys(
  content: string,
  place: string,
  knows: (type: string) => boolean,
): AuthorizedKeys {
  const lines: string[] = [];
  const notes: string[] = [];
  for (const [at, raw] of content.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const where = `${text(place)}, line ${at + 1}`;
    const key = parseLine(line);
    const fault = key === undefined ? "it is no public key" : faultOf(key, knows);
    if (key === undefined || fault !== undefined) {
      notes.push(`${where} is left out: ${fault}.`);
      continue;
    }
    const { options, type, blob, comment } = key;
    lines.push([options.join(","), type, blob, comment].filter((part) => part !== "").join(" "));
    notes.push(...optionNotes(options, where));
  }
  return { lines, notes };
}

interface Key {
  readonly options: readonly string[];
  readonly type: string;
  /** In base64. */
  readonly blob: string;
  readonly comment: string;
}

/** All types of public keys that OpenSSH knows (ssh-keygen(1)), certificates aside. */
const TYPES: ReadonlySet<string> = new Set([
  ...["ssh-ed25519", "ssh-rsa", "ssh-dss"],
  ...["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  ...["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"],
]);

/** Those of dropbear 2022.83 that have no value, and those that have one, in lower case: their names fit in any case. */
const SWITCHES: ReadonlySet<string> = new Set([
  ...["no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty", "restrict"],
  ...["no-touch-required", "verify-required"],
]);
const VALUED: ReadonlySet<string> = new Set(["command", "permitopen"]);

/** dropbear reads no longer ones (MAX_AUTHKEYS_LINE). */
const LONGEST = 4200;

function parseLine(line: string): Key | undefined {
  // Options end at the first blank that is not within quotes.
  const [, first = "", rest = ""] = /^((?:"(?:\\.|[^"\\])*"|[^\s"])+)[ \t]+(.*)$/.exec(line) ?? [];
  const [options, words] = TYPES.has(first) ? ["", line] : [first, rest];
  const [, type = "", blob = "", comment = ""] = /^(\S+)[ \t]+(\S+)[ \t]*(.*)$/.exec(words) ?? [];
  if (!TYPES.has(type)) return undefined;
  return { options: splitOptions(options), type, blob, comment };
}

function splitOptions(options: string): string[] {
  return options.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? [];
}

function faultOf(
  { options, type, blob, comment }: Key,
  knows: (type: string) => boolean,
): string | undefined {
  if (!knows(type)) return `this dropbear knows no keys of the type ${type}`;
  const strange = options.find((option) => !isKnown(option));
  if (strange !== undefined) return `dropbear does not know the option ${text(nameOf(strange))}`;
  if (!isWhole(type, blob)) return "its key is damaged";
  if (options.join(",").length + type.length + blob.length + comment.length + 3 > LONGEST)
    return `it is longer than the ${LONGEST} characters that dropbear reads`;
  return undefined;
}

function isKnown(option: string): boolean {
  const name = nameOf(option).toLowerCase();
  return option.includes("=") ? VALUED.has(name) && option.endsWith('"') : SWITCHES.has(name);
}

function nameOf(option: string): string {
  return option.replace(/=.*$/s, "");
}

// The blob begins with its type (RFC 4253, section 6.6).
function isWhole(type: string, blob: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return false;
  const bytes = Buffer.from(blob, "base64");
  return readString(bytes, 0)?.value === type && bytes.length > type.length + 4 + LEAST_KEY;
}

/** An ed25519 key with its length is the shortest there is. */
const LEAST_KEY = 35;

function optionNotes(options: readonly string[], where: string): string[] {
  const names = new Set(options.map((option) => nameOf(option).toLowerCase()));
  return [
    ...(names.has("command")
      ? [`${where}: its command= counts for nothing here, where all logins unlock.`]
      : []),
    ...(names.has("no-pty") || names.has("restrict")
      ? [`${where}: without a terminal, a passphrase that is typed there will be seen.`]
      : []),
  ];
}
