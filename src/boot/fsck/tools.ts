/** Which tool checks a filesystem, how it is called, and what its exit status means. */

import type { FsckSettings } from "./settings.ts";

/** The exit status of fsck(8), bit by bit. */
export const FSCK = {
  corrected: 1,
  reboot: 2,
  uncorrected: 4,
  operational: 8,
  usage: 16,
  canceled: 32,
  library: 128,
} as const;

export interface Check {
  readonly argv: readonly string[];
  /** The bits of fsck(8) for an exit status of this tool. */
  readonly meaning: (status: number) => number;
}

/** How one family of filesystems is checked. */
interface Tool {
  readonly types: readonly string[];
  readonly program: string;
  /** The options; undefined when nothing is to be done. */
  readonly options: (settings: FsckSettings) => readonly string[] | undefined;
  /** Left out for a tool that keeps to fsck(8). */
  readonly meaning?: (status: number, settings: FsckSettings) => number;
}

const TOOLS: readonly Tool[] = [
  {
    types: ["ext2", "ext3", "ext4"],
    program: "e2fsck",
    // -C 1: how far it is, in lines on standard output (progress.ts).
    options: (settings) => [...usual("-p")(settings), "-C", "1"],
  },
  {
    types: ["vfat", "msdos"],
    program: "fsck.fat",
    options: ({ repair }) => [{ preen: "-a", yes: "-y", no: "-n" }[repair]],
    // fsck.fat(8): 1 is any fault that it found, mended or not; 2 is wrong usage.
    meaning: (status, { repair }) =>
      status === 1
        ? repair === "no"
          ? FSCK.uncorrected
          : FSCK.corrected
        : status === 2
          ? FSCK.usage
          : status,
  },
  { types: ["exfat"], program: "fsck.exfat", options: ({ repair }) => [usualRepair("-p", repair)] },
  {
    types: ["f2fs"],
    program: "fsck.f2fs",
    options: ({ mode, repair }) => [
      { preen: "-a", yes: "-y", no: "--dry-run" }[repair],
      ...(mode === "force" ? ["-f"] : []),
    ],
  },
  {
    types: ["xfs"],
    program: "xfs_repair",
    // Mounting replays the log, and that is all a boot has to do (fsck.xfs(8)), unless a check is asked for. That
    // script is not used: it needs a shell, and believes a person to be there when PS1 is set.
    options: ({ mode, repair }) => (mode !== "force" ? undefined : repair === "no" ? ["-n"] : ["-e"]),
    // xfs_repair(8), Exit Status. 2: it won't touch a log that mounting will replay, which is no fault.
    meaning: (status) =>
      ({ 0: 0, 1: FSCK.uncorrected, 2: FSCK.operational, 4: FSCK.corrected })[status] ?? FSCK.operational,
  },
];

/** Those that repair themselves when mounted (fsck.btrfs(8)), or can't be written to at all. */
const WITHOUT_CHECK: ReadonlySet<string> = new Set([
  "btrfs",
  "squashfs",
  "erofs",
  "iso9660",
  "udf",
  "swap",
  "ntfs",
  "ntfs3",
]);

/** How a filesystem on `node` is checked; undefined when there is nothing to do for its type. */
export function planCheck(type: string, node: string, settings: FsckSettings): Check | undefined {
  if (settings.mode === "skip" || WITHOUT_CHECK.has(type) || !/^[A-Za-z0-9_.+-]+$/.test(type))
    return undefined;
  const tool = TOOLS.find(({ types }) => types.includes(type)) ?? {
    program: `fsck.${type}`,
    options: usual("-a"),
  };
  const options = tool.options(settings);
  if (options === undefined) return undefined;
  const meaning = "meaning" in tool ? tool.meaning : undefined;
  return {
    argv: [tool.program, ...options, node],
    meaning: (status) => withoutAccident(meaning?.(status, settings) ?? status),
  };
}

/** What fsck(8) calls the bits that say that no check was made, as clauses. */
export function describeTrouble(bits: number): string {
  const clauses: readonly (readonly [number, string])[] = [
    [FSCK.operational, "an operational error"],
    [FSCK.usage, "wrong usage"],
    [FSCK.canceled, "it was canceled"],
    [FSCK.library, "an error of a library"],
  ];
  const named = clauses.filter(([bit]) => (bits & bit) !== 0).map(([, clause]) => clause);
  return named.length === 0 ? `status ${bits}` : named.join(", ");
}

function usual(preen: string): (settings: FsckSettings) => readonly string[] {
  return ({ mode, repair }) => [usualRepair(preen, repair), ...(mode === "force" ? ["-f"] : [])];
}

function usualRepair(preen: string, repair: FsckSettings["repair"]): string {
  return { preen, yes: "-y", no: "-n" }[repair];
}

// 255 is the -1 of a tool that gave up (fsck.f2fs(8)), 126 and 127 what a shell says: no sets of bits.
function withoutAccident(status: number): number {
  return [126, 127, 255].includes(status) ? FSCK.operational : status;
}
