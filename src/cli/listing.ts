/** The lines of `rdinit list`: those of GNU cpio's `cpio -itv`, byte for byte. */

import { targetOf, type CpioMember } from "../image/cpio-reader.ts";
import type { Accounts } from "./accounts.ts";

/** How the lines are to be. */
export interface Listing {
  readonly accounts: Accounts;
  /** The most that is shown of an account's name. */
  readonly accountWidth?: number;
  /** Now, in seconds since 1970: files of the last half year show the time of day, others the year. */
  readonly now: number;
}

/** The line of one entry, a byte string without a line feed at its end. Times are local. */
export function listLine(member: CpioMember, { accounts, accountWidth = 8, now }: Listing): string {
  const { path, type, mode, nlink, uid, gid, mtime, rdev, data } = member;
  const account = (name: string) => name.slice(0, accountWidth).padEnd(8);
  const [major = "", minor = ""] = rdev.split(":");
  const isDevice = type === "char" || type === "block";
  const size = isDevice ? `${major.padStart(3)}, ${minor.padStart(3)}` : String(data.length).padStart(8);
  const columns = [
    TYPE_LETTERS[type] + permissions(mode),
    String(nlink).padStart(3),
    account(accounts.user(uid)),
    account(accounts.group(gid)),
    size,
    dateOf(mtime, now),
    path === "" ? "." : path,
  ];
  return columns.join(" ") + (type === "symlink" ? ` -> ${targetOf(member)}` : "");
}

const TYPE_LETTERS: Readonly<Record<CpioMember["type"], string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  char: "c",
  block: "b",
  fifo: "p",
  socket: "s",
};
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const HALF_A_YEAR = 6 * 30 * 24 * 60 * 60;

// As ls -l has them: setuid, setgid and sticky take the place of an x, as capitals that of a dash.
function permissions(mode: number): string {
  return [
    { bits: mode >>> 6, special: mode & 0o4000, letter: "s" },
    { bits: mode >>> 3, special: mode & 0o2000, letter: "s" },
    { bits: mode, special: mode & 0o1000, letter: "t" },
  ]
    .map(({ bits, special, letter }) => {
      const mark = bits & 1 ? letter : letter.toUpperCase();
      const execute = bits & 1 ? "x" : "-";
      return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${special ? mark : execute}`;
    })
    .join("");
}

function dateOf(seconds: number, now: number): string {
  const date = new Date(seconds * 1000);
  const isRecent = seconds <= now && now - seconds <= HALF_A_YEAR;
  const clock = isRecent
    ? `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`
    : ` ${date.getFullYear()}`;
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
