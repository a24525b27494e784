/** /etc/fstab: which filesystem is mounted where, read as libmount reads it (fstab(5), util-linux libmount/src/tab_parse.c). */

/** One line of fstab. All strings are byte strings, escapes decoded. */
export interface FstabEntry {
  /** A path, `UUID=` and its like (boot/devices/deviceref.ts reads them), `server:/path`, or any word where no device is. */
  readonly device: string;
  /** Where it is mounted; "none" for swap. */
  readonly mountPoint: string;
  /** One type, or several with commas. */
  readonly type: string;
  /** A list with commas, "" when the line ends before it (option-list.ts takes it apart). */
  readonly options: string;
  /** For dump(8); 0 when left out. */
  readonly frequency: number;
  /** The pass of fsck(8) that checks it; 0, for never, when left out. */
  readonly pass: number;
  /** Its line in the file, from 1, and as it stands there. */
  readonly line: number;
  readonly text: string;
}

/** What a file says, and sentences about lines that make no sense and count for nothing. */
export interface Fstab {
  readonly entries: readonly FstabEntry[];
  readonly notes: readonly string[];
}

/** Reads a whole fstab. Any text can be read: what makes no sense becomes a note. */
export function parseFstab(content: string): Fstab {
  const entries: FstabEntry[] = [];
  const notes: string[] = [];
  for (const [at, whole] of content.split("\n").entries()) {
    const text = whole.replace(/\r$/, "");
    const line = at + 1;
    const rest = text.replace(/^[ \t]+/, "");
    if (rest === "" || rest.startsWith("#")) continue;
    const parsed = parseLine(rest);
    if (typeof parsed === "string") notes.push(`/etc/fstab, line ${line}, is left out: ${parsed}.`);
    else entries.push({ ...parsed, line, text });
  }
  return { entries, notes };
}

/** True when two spellings are one mount point: slashes at the end, and doubled ones, don't count. */
export function sameMountPoint(a: string, b: string): boolean {
  return plainPath(a) === plainPath(b);
}

// What is wrong, when it is no entry.
function parseLine(line: string): Omit<FstabEntry, "line" | "text"> | string {
  if (line.includes("\0")) return "it holds a zero byte";
  const [device = "", mountPoint = "", type = "", options = "", frequency = "0", pass = "0"] = line
    .split(/[ \t]+/)
    .filter((field) => field !== "");
  if (type === "") return "it lacks a type (a line is: device, mount point, type, options)";
  for (const number of [frequency, pass])
    if (!/^[+-]?\d+$/.test(number)) return `${number} stands where a number has to`;
  const fields = { device, mountPoint, type, options };
  const decoded = Object.entries(fields).map(([name, field]) => [name, decodeOctal(field)] as const);
  if (decoded.some(([, field]) => field.includes("\0"))) return "it holds a zero byte";
  return {
    ...(Object.fromEntries(decoded) as typeof fields),
    // Not the negative zero that "-0" would be.
    frequency: Number(frequency) + 0,
    pass: Number(pass) + 0,
  };
}

// A backslash and exactly three octal digits are a byte, as the kernel and libmount write blanks.
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8) & 0xff),
  );
}

function plainPath(path: string): string {
  return path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
}
