/**
 * /etc/crypttab: encrypted devices and how to open them, read so that systemd's crypttab(5) and Debian's are both
 * understood (systemd src/cryptsetup/cryptsetup-generator.c, Debian's cryptsetup /lib/cryptsetup/functions).
 */

/** One line of crypttab. All strings are byte strings, escapes decoded. */
export interface CrypttabEntry {
  /** What the opened device is called below /dev/mapper. */
  readonly name: string;
  /** The encrypted device: a path, `UUID=` and its like. */
  readonly device: string;
  /** The file or device that holds the key; undefined where a passphrase is asked for ("none", "-"). */
  readonly key: KeyPlace | undefined;
  /** A list with commas, "" when there is none (option-list.ts takes it apart). */
  readonly options: string;
  /** Its line in the file, from 1, and as it stands there. */
  readonly line: number;
  readonly text: string;
}

/** Where a key is. */
export interface KeyPlace {
  readonly path: string;
  /** The device whose filesystem has `path`, as fstab(5) names one; undefined for the running system itself. */
  readonly device: string | undefined;
}

/** What a file says, and sentences about lines that make no sense and count for nothing. */
export interface Crypttab {
  readonly entries: readonly CrypttabEntry[];
  readonly notes: readonly string[];
}

/** Reads a whole crypttab. Any text can be read: what makes no sense becomes a note. */
export function parseCrypttab(content: string): Crypttab {
  const entries: CrypttabEntry[] = [];
  const notes: string[] = [];
  for (const [at, text] of content.split("\n").entries()) {
    const line = at + 1;
    const fields = text.split(/[ \t\r\v\f]+/).filter((field) => field !== "");
    const [name = "", device = "", key = "none", options = ""] = fields.map(decodeOctal);
    if (name === "" || fields[0]?.startsWith("#")) continue;
    const problem = problemWith(name, device, fields);
    if (problem === undefined) entries.push({ name, device, key: readKey(key), options, line, text });
    else notes.push(`/etc/crypttab, line ${line}, is left out: ${problem}.`);
  }
  return { entries, notes };
}

/**
 * Takes a key's place apart: `/path`, `/path:UUID=…`, `/path:/dev/…`. A colon with anything else behind it is part
 * of the path, as systemd guesses.
 */
export function readKey(written: string): KeyPlace | undefined {
  if (written === "none" || written === "-" || written === "") return undefined;
  const colon = written.lastIndexOf(":");
  const behind = written.slice(colon + 1);
  if (colon > 0 && /^(?:\/|(?:UUID|LABEL|PARTUUID|PARTLABEL)=.)/i.test(behind))
    return { path: written.slice(0, colon), device: behind };
  return { path: written, device: undefined };
}

/** Where the key of a volume may lie when nobody names it: crypttab(5) of systemd, and mkinitcpio's encrypt. */
export function usualKeyPaths(name: string): string[] {
  const bySystemd = ["/etc", "/run"].map((directory) => `${directory}/cryptsetup-keys.d/${name}.key`);
  return [...bySystemd, "/crypto_keyfile.bin"];
}

/** True when the key is new at every boot, so that nothing on the device outlives one. */
export function isRandomKey(key: KeyPlace | undefined): boolean {
  return key !== undefined && /^\/dev\/(?:u?random|hw_random|hwrng)$/.test(key.path);
}

function problemWith(name: string, device: string, fields: readonly string[]): string | undefined {
  if (device === "") return "it lacks a device (a line is: name, device, key, options)";
  if (fields.some((field) => field.includes("\0") || decodeOctal(field).includes("\0")))
    return "it holds a zero byte";
  if (name.includes("/") || name === "." || name === "..")
    return "its name is no file name, and has to become one below /dev/mapper";
  return undefined;
}

// Debian: \0 and up to three octal digits are a byte, as printf's %b has it. Any other backslash is itself: udev's
// names of devices have \x20 in them.
function decodeOctal(field: string): string {
  return field.replace(/\\0([0-7]{0,3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(`0${digits}`, 8) & 0xff),
  );
}
