/** What is mounted, and swap, as far as it must go before the devices below can. */

import {
  MS_RDONLY,
  MS_REMOUNT,
  SysError,
  type Syscalls,
  readText,
  readTextIfThere,
} from "../../syscalls/index.ts";
import type { Log } from "../boot/log.ts";
import { text } from "../lib/bytes.ts";
import { describe } from "../lib/errors.ts";
import { Late, attempt } from "./attempt.ts";

/** Something that stands in the way of what is below it. */
export interface Obstacle {
  /** What it is to people: "/home (/dev/sda2)", "the swap /dev/dm-1". */
  readonly title: string;
  /** What is done to it: "unmounting", "unmounted". */
  readonly doing: string;
  readonly done: string;
  /** How loud that is said. */
  readonly told: "info" | "debug";
  readonly remove: () => Promise<void>;
}

/** A mount of the system that has ended. */
export interface OldMount {
  readonly path: string;
  /** The device or the place in the network that holds it; undefined for the kernel's own filesystems. */
  readonly source: string | undefined;
}

/** Where systemd-shutdown leaves the system that ends (switch_root_initramfs() in src/shutdown/shutdown.c). */
const oldRoot = "/oldroot";

/** What this program stands on: systemd has bound the last four here for it. */
const own: ReadonlySet<string> = new Set(["/", "/dev", "/proc", "/sys", "/run"]);

/** What is to be unmounted, of a mountinfo file (proc(5)), the latest first: a mount may lie on another. */
export function oldMounts(mountinfo: string): OldMount[] {
  return mountinfo
    .split("\n")
    .flatMap((line) => {
      const [before = "", behind = ""] = line.split(" - ");
      const path = unescape(before.split(" ")[4] ?? "");
      const source = unescape(behind.split(" ")[1] ?? "");
      // "/dev/sda1" and "server:/export", and not "tmpfs".
      return path === "" ? [] : [{ path, source: source.includes("/") ? source : undefined }];
    })
    .filter(({ path }) => !own.has(path))
    .toReversed();
}

/** The paths in a swaps file (proc(5)), behind its headline. */
export function swapPaths(swaps: string): string[] {
  return swaps
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [path = ""] = line.split(/[ \t]/);
      return path === "" ? [] : [unescape(path)];
    });
}

/**
 * All that is still mounted or swapped to, in the order to remove it.
 * @throws SysError when /proc can't be read
 */
export function obstacles(sys: Syscalls): Obstacle[] {
  const mounts = mountsNow(sys).map((mount) => ({
    title: titleOf(mount),
    doing: "unmounting",
    done: "unmounted",
    told: mount.source === undefined ? ("debug" as const) : ("info" as const),
    remove: () => sys.slow.umount(mount.path, 0),
  }));
  const swaps = swapPaths(readTextIfThere(sys, "/proc/swaps") ?? "").map((path) => ({
    title: `the swap ${oldName(path)}`,
    doing: "turning off",
    done: "turned off",
    told: "info" as const,
    remove: () => sys.slow.swapoff(path),
  }));
  return [...mounts, ...swaps];
}

/**
 * Makes what could not be unmounted read-only, so that it is whole on its disk; the kernel's own filesystems need it
 * not. Nothing is said of it when that fails as well: that it stays was told.
 */
export async function makeReadOnly(sys: Syscalls, log: Log): Promise<void> {
  for (const mount of mountsNow(sys).filter(({ source }) => source !== undefined)) {
    try {
      const act = sys.slow.mount("", mount.path, "", MS_REMOUNT | MS_RDONLY, "");
      await attempt(log, `making ${titleOf(mount)} read-only`, act);
    } catch (error) {
      if (!(error instanceof SysError || error instanceof Late)) throw error;
      log.debug(`${titleOf(mount)} can't be made read-only: ${describe(error)}`);
    }
  }
}

function mountsNow(sys: Syscalls): OldMount[] {
  return oldMounts(readText(sys, "/proc/self/mountinfo"));
}

function titleOf({ path, source }: OldMount): string {
  return source === undefined ? oldName(path) : `${oldName(path)} (${text(source)})`;
}

/** What a path was called in the system that has ended, for people. */
export function oldName(path: string): string {
  if (path === oldRoot) return "/";
  return text(path.startsWith(`${oldRoot}/`) ? path.slice(oldRoot.length) : path);
}

function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
