/** Which lines of the real root's fstab are mounted before its init runs, in which order, and how. */

import { text } from "../../lib/bytes.ts";
import { type FstabEntry, sameMountPoint } from "../../storage/fstab.ts";
import { hasOption, optionValue, splitOptions } from "../../storage/option-list.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { overlayPaths } from "./overlay-options.ts";
import { switchValue } from "../cmdline/switch-word.ts";
import { isFromWords, readUsr, usrParameters } from "./usr-words.ts";

export interface FstabSettings {
  /** Mount points that are wanted besides /usr and those marked x-initrd.mount. */
  readonly mounts: readonly string[];
  /** Whether /usr and what is marked is mounted without being asked for. */
  readonly automatic: boolean;
  /** What is mounted on /usr, in the place of what fstab says. */
  readonly usr?: FstabEntry | undefined;
}

export const fstabParameters = [
  {
    name: "rd.mounts",
    usage: "rd.mounts=PATH[,PATH]",
    meaning: "mount these of the real root's fstab as well, before the hand-over: /var,/etc",
  },
  {
    name: "rd.fstab",
    usage: "rd.fstab=0|1",
    meaning: "whether /usr, and what fstab marks x-initrd.mount, is mounted before the hand-over (default 1)",
  },
  ...usrParameters,
] as const;

/** Each rd.mounts= adds to the list, an empty one clears it. Complaints are sentences. */
export function readFstabSettings(words: readonly Word[]): { settings: FstabSettings; complaints: string[] } {
  let mounts: string[] = [];
  let automatic = true;
  const complaints: string[] = [];
  for (const { name, value = "" } of words) {
    if (sameName(name, "rd.mounts")) {
      const paths = value.split(",").filter((path) => path !== "");
      const good = paths.filter((path) => path.startsWith("/") && !sameMountPoint(path, "/"));
      mounts = value === "" ? [] : [...mounts, ...good];
      for (const path of paths.filter((one) => !good.includes(one)))
        complaints.push(`${text(path)} in rd.mounts= is ignored: it is no mount point below /.`);
    } else if (sameName(name, "rd.fstab")) {
      const known = value === "" || switchValue(value);
      if (known === undefined)
        complaints.push(`rd.fstab=${text(value)} is ignored: it is neither 0 nor 1. Usage: rd.fstab=0|1.`);
      else automatic = known;
    }
  }
  return { settings: { mounts, automatic, usr: readUsr(words) }, complaints };
}

/** A line of fstab that is mounted. */
export interface PlannedMount {
  /** Its mount point without slashes that don't count: "/var/lib". */
  readonly mountPoint: string;
  /** What to correct when it is wrong. */
  readonly from: string;
  readonly device: string;
  /** The types to try; empty when the device is to say. */
  readonly types: readonly string[];
  /** The options without those that are read here. */
  readonly options: string;
  readonly kind: "device" | "bind" | "overlay" | "virtual" | "network" | "file";
  /** A bind mount takes what is mounted below its source along. */
  readonly recursive: boolean;
  /** A failure is told, and the boot goes on. */
  readonly mayFail: boolean;
  readonly pass: number;
  /** How long to wait for the device; undefined where fstab does not say, "for ever" where it says so. */
  readonly timeout_ms: number | "for ever" | undefined;
}

/**
 * Chooses and orders: a mount comes after those that it, or the source of it, lies below; otherwise fstab's order holds.
 * @param fstab the real root's fstab
 * @param packed that of the image, for mount points that the real one does not have: /etc itself may be one
 */
export function planFstab(
  fstab: readonly FstabEntry[],
  packed: readonly FstabEntry[],
  { mounts, automatic, usr }: FstabSettings,
): { planned: PlannedMount[]; complaints: string[] } {
  const real =
    usr === undefined ? fstab : [usr, ...fstab.filter((entry) => !sameMountPoint(entry.mountPoint, "/usr"))];
  const wanted = real.filter(
    (entry) => entry === usr || isListed(entry, mounts) || (automatic && isWanted(entry)),
  );
  const missing = mounts.filter((path) => !wanted.some((entry) => sameMountPoint(entry.mountPoint, path)));
  const brought = missing.flatMap((path) =>
    packed.filter((entry) => sameMountPoint(entry.mountPoint, path)).slice(0, 1),
  );
  const lost = missing.filter((path) => !brought.some((entry) => sameMountPoint(entry.mountPoint, path)));
  const planned = [...brought, ...wanted].map(planMount);
  return {
    planned: inOrder(planned),
    complaints: lost.map((path) => `${text(path)} of rd.mounts= is not mounted: fstab has no line for it.`),
  };
}

// systemd's fstab-generator takes /usr whatever its options say, as without it nothing can be started.
function isWanted({ mountPoint, options }: FstabEntry): boolean {
  if (!mountPoint.startsWith("/") || sameMountPoint(mountPoint, "/")) return false;
  if (sameMountPoint(mountPoint, "/usr")) return true;
  return hasOption(options, "x-initrd.mount") && !hasOption(options, "noauto");
}

function isListed({ mountPoint }: FstabEntry, mounts: readonly string[]): boolean {
  return mounts.some((path) => sameMountPoint(path, mountPoint));
}

function inOrder(planned: readonly PlannedMount[]): PlannedMount[] {
  const done: PlannedMount[] = [];
  const begun = new Set<PlannedMount>();
  const take = (mount: PlannedMount): void => {
    if (begun.has(mount)) return;
    begun.add(mount);
    for (const other of planned) if (needs(mount, other)) take(other);
    done.push(mount);
  };
  for (const mount of planned) take(mount);
  return done;
}

function needs(mount: PlannedMount, other: PlannedMount): boolean {
  if (mount.mountPoint.startsWith(`${other.mountPoint}/`)) return true;
  return sourcesOf(mount).some(
    (path) => path === other.mountPoint || path.startsWith(`${other.mountPoint}/`),
  );
}

// The directories of the new root that have to be there first.
function sourcesOf({ kind, device, options }: PlannedMount): string[] {
  if (kind === "bind") return [device];
  return kind === "overlay" ? overlayPaths(options) : [];
}

function planMount(entry: FstabEntry): PlannedMount {
  const { device, mountPoint, type, options, pass } = entry;
  const recursive = hasOption(options, "rbind");
  const kind = kindOf(device, type, options);
  const rest = splitOptions(options).filter((option) => !["bind", "rbind", "loop"].includes(option));
  return {
    mountPoint: mountPoint.replace(/\/{2,}/g, "/").replace(/\/$/, ""),
    from: isFromWords(entry) ? "mount.usr= on the kernel command line" : "its line in /etc/fstab",
    device,
    types: type === "auto" ? [] : type.split(",").filter((one) => one !== ""),
    options: rest.join(","),
    kind,
    recursive,
    mayFail: hasOption(options, "nofail"),
    pass,
    timeout_ms: readTimeSpan(optionValue(options, "x-systemd.device-timeout")),
  };
}

const networkTypes = /^(nfs4?|cifs|smb3?|smbfs|9p|ceph|glusterfs|fuse\.(sshfs|glusterfs))$/;
const virtualTypes =
  /^(tmpfs|ramfs|proc|sysfs|devpts|debugfs|tracefs|securityfs|efivarfs|configfs|cgroup2?|mqueue|hugetlbfs|bpf|binfmt_misc)$/;

function kindOf(device: string, type: string, options: string): PlannedMount["kind"] {
  if (hasOption(options, "bind") || hasOption(options, "rbind")) return "bind";
  if (type === "overlay") return "overlay";
  if (virtualTypes.test(type)) return "virtual";
  if (hasOption(options, "_netdev") || networkTypes.test(type)) return "network";
  if (hasOption(options, "loop") || (device.startsWith("/") && !device.startsWith("/dev/"))) return "file";
  return "device";
}

const units_ms: Readonly<Record<string, number>> = {
  ms: 1,
  "": 1000,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
};

/** A span of systemd.time(7) as far as anyone writes one here: "90", "1min 30s", "infinity"; undefined for others. */
export function readTimeSpan(span: string | undefined): number | "for ever" | undefined {
  if (span === undefined) return undefined;
  if (span === "infinity" || span === "0") return "for ever";
  const parts = [...span.matchAll(/(\d{1,7}(?:\.\d{1,3})?) *([a-z]*) */g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== span) return undefined;
  let sum_ms = 0;
  for (const [, number, unit = ""] of parts) {
    const unit_ms = Object.hasOwn(units_ms, unit) ? units_ms[unit] : undefined;
    if (unit_ms === undefined) return undefined;
    sum_ms += Number(number) * unit_ms;
  }
  return Math.round(sum_ms);
}
