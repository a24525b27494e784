/**
 * Parameters of other early userspaces. Those that say what one of rdinit's says count as that; the others get a
 * sentence. Follows mkinitcpio(8) and its hooks, initramfs-tools(7), overlayroot, Debian's cryptsetup, Alpine's
 * mkinitfs, genkernel(8), booster's manual, and systemd's generators.
 */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "./cmdline.ts";

/** The words with those of others as rdinit has them, and a sentence for each that counts so. */
export function translateWords(words: readonly Word[]): { words: Word[]; remarks: string[] } {
  const remarks: string[] = [];
  const translated = words.flatMap((word) => {
    const row = rowOf(word);
    const ours = row?.ours?.(word.value ?? "", words);
    if (row === undefined || ours === undefined) return [word];
    const as = ours.map(([name, value]) => ({ name, value }));
    const said = as.map(({ name, value }) => (value === undefined ? name : `${name}=${text(value)}`));
    remarks.push(`${shown(word)} is for ${row.whose}, and counts as ${said.join(" ")}.`);
    return as;
  });
  return { words: translated, remarks };
}

/** A sentence for a word of others that has no counterpart; undefined for all that need none. */
export function foreignAdvice(word: Word): string | undefined {
  const row = rowOf(word);
  const instead = row?.instead?.(word.value ?? "");
  return instead === undefined ? undefined : `it is for ${row?.whose}. ${instead}.`;
}

/** True for words to programs of other early userspaces that rdinit does without: nothing is lost with them. */
export function isNeedless({ name }: Word): boolean {
  return /^rd[._](?:udev|systemd|plymouth)(?:[._]|$)/.test(name);
}

/** A clause about a root= of another early userspace; undefined for others. */
export function foreignRoot(root: string): string | undefined {
  return ROOTS.find(([form]) => form.test(root))?.[1];
}

type Ours = readonly (readonly [name: string, value?: string])[];

interface Row {
  readonly name: string;
  readonly whose: string;
  /** What it is here; undefined when nothing here says the same. */
  readonly ours?: (value: string, words: readonly Word[]) => Ours | undefined;
  /** What to write where it has no counterpart; undefined when nothing has to be done. */
  readonly instead?: (value: string) => string | undefined;
}

const NO_VERITY = "rdinit verifies no root: boot such a system by the early userspace that it was made for";

const ROWS: readonly Row[] = [
  { name: "cryptdevice", whose: "mkinitcpio", ours: cryptdevice, instead: nameTheVolume },
  { name: "cryptkey", whose: "mkinitcpio", ours: cryptkey, instead: () => "Write rd.luks.key=PATH:DEVICE" },
  { name: "earlymodules", whose: "mkinitcpio", ours: renamed("rd.driver.pre") },
  { name: "rd.log", whose: "mkinitcpio", instead: () => "Write debug, which says everything" },
  { name: "break", whose: "initramfs-tools and mkinitcpio", ours: breakAt },
  { name: "cryptopts", whose: "initramfs-tools", ours: cryptopts, instead: nameTheVolume },
  { name: "blacklist", whose: "initramfs-tools", ours: renamed("modprobe.blacklist") },
  { name: "fsckfix", whose: "initramfs-tools", ours: () => [["fsck.repair", "yes"]] },
  { name: "boot", whose: "initramfs-tools", instead: insteadOfBoot },
  { name: "overlayroot", whose: "overlayroot", ours: overlay(/^tmpfs(?::|$)/), instead: insteadOfOverlay },
  { name: "overlaytmpfs", whose: "Alpine's mkinitfs", ours: overlay(/^(?:yes|1)?$/) },
  { name: "cryptroot", whose: "Alpine's mkinitfs", ours: cryptroot, instead: nameTheVolume },
  { name: "crypt_root", whose: "genkernel", ours: (value) => named(value, "root"), instead: nameTheVolume },
  { name: "real_root", whose: "genkernel", ours: renamed("rd.root") },
  { name: "rd.modules_force_load", whose: "booster", ours: renamed("rd.driver.pre") },
  { name: "booster.log", whose: "booster", instead: () => "Write debug, which says everything" },
  { name: "rd.modules-load", whose: "systemd", ours: renamed("rd.driver.pre") },
  { name: "rd.systemd.unit", whose: "systemd", ours: breakFor },
  { name: "rd.systemd.mount-extra", whose: "systemd", instead: () => "Give the mount a line in fstab" },
  { name: "systemd.volatile", whose: "systemd", ours: overlay(/^overlay$/), instead: insteadOfVolatile },
  { name: "roothash", whose: "systemd", instead: () => NO_VERITY },
  { name: "usrhash", whose: "systemd", instead: () => NO_VERITY },
];

const ROOTS: readonly (readonly [form: RegExp, clause: string])[] = [
  [
    /^gpt-auto(?:-force)?$/,
    "rdinit looks for no root by the type of its partition; write root=PARTUUID=… or root=UUID=…",
  ],
  [/^(?:ZFS=|zfs:|zfs$)/i, "rdinit does not import pools of ZFS itself; a hook of mount can"],
  [/^HWPATH=/, "for rdinit it is a link, root=/dev/disk/by-path/…"],
  [/^WWID=/, "for rdinit it is a link, root=/dev/disk/by-id/…"],
  [
    /^tmpfs$/,
    "rdinit leaves a whole system in memory where the kernel has unpacked it; name no root, and put /sbin/init into the image",
  ],
  [/^(?:mtd|ubi)[\d:!_]/, "rdinit mounts no flash memory itself; a hook of mount can"],
  [
    /^(?:https?|ftp|tftp|torrent):/,
    "rdinit fetches no image from a server; put it on a disk, root=live:DEVICE, or share it by NFS or NBD",
  ],
  [/^bind:/, "rdinit takes no directory of its own image as the root; a hook of mount can"],
  [/^'/, 'the kernel knows no quotes but "'],
];

function rowOf({ name }: Word): Row | undefined {
  return ROWS.find((one) => sameName(one.name, name));
}

function shown({ name, value }: Word): string {
  return value === undefined ? text(name) : `${text(name)}=${text(value)}`;
}

function renamed(name: string): (value: string) => Ours | undefined {
  return (value) => (value === "" ? undefined : [[name, value]]);
}

function overlay(inMemory: RegExp): (value: string) => Ours | undefined {
  return (value) => (inMemory.test(value) ? [["rd.overlay", "1"]] : undefined);
}

/** `DEVICE:NAME[:OPTIONS]` */
function cryptdevice(value: string): Ours | undefined {
  const [, device = "", name = "", options = ""] = /^([^:]*):([^:]+)(?::([^]*))?$/.exec(value) ?? [];
  return named(device, name, /(?:^|,)(?:allow-)?discards?(?:,|$)/.test(options));
}

/** `target=NAME,source=DEVICE,…` */
function cryptopts(value: string): Ours | undefined {
  const fields = new Map(value.split(",").map((field) => [field.replace(/=[^]*$/, ""), field]));
  const field = (name: string): string => fields.get(name)?.slice(name.length + 1) ?? "";
  return named(field("source"), field("target"), fields.has("discard"));
}

function cryptroot(value: string, words: readonly Word[]): Ours | undefined {
  return named(value, words.findLast(({ name }) => name === "cryptdm")?.value ?? "");
}

// By its UUID: other names of a device say nothing of what is on it.
function named(device: string, name: string, discards = false): Ours | undefined {
  const uuid = /^(?:UUID=|\/dev\/disk\/by-uuid\/)([0-9a-f-]+)$/i.exec(device)?.[1];
  if (uuid === undefined || name === "") return undefined;
  const all: Ours = [["rd.luks.name", `${uuid}=${name}`]];
  return discards ? [...all, ["rd.luks.allow-discards", uuid]] : all;
}

function nameTheVolume(): string {
  return "Write rd.luks.name=UUID=NAME, with the UUID that 'cryptsetup luksUUID DEVICE' says";
}

/** `rootfs:PATH`, `DEVICE:FILESYSTEM:PATH` or `DEVICE:OFFSET:SIZE` */
function cryptkey(value: string): Ours | undefined {
  const [device = "", second = "", third = ""] = value.split(":");
  if (device === "rootfs") return second.startsWith("/") ? [["rd.luks.key", second]] : undefined;
  if (/^\d+$/.test(second) && /^\d+$/.test(third) && device.startsWith("/dev/"))
    return [
      ["rd.luks.key", device],
      ["rd.luks.options", `keyfile-offset=${second},keyfile-size=${third}`],
    ];
  return third.startsWith("/") && device !== "" ? [["rd.luks.key", `${third}:${device}`]] : undefined;
}

/** Our points of the boot by theirs; nothing, and mkinitcpio's old y, is premount for both. */
const BREAKS: ReadonlyMap<string, string> = new Map([
  ["", "pre-mount"],
  ["y", "pre-mount"],
  ["top", "cmdline"],
  ["modules", "pre-trigger"],
  ["premount", "pre-mount"],
  ["mount", "mount"],
  ["mountroot", "mount"],
  ["postmount", "pre-pivot"],
  ["bottom", "pre-pivot"],
]);

function breakAt(value: string): Ours {
  const points = value.split(",").map((point) => BREAKS.get(point) ?? "cleanup");
  return [...new Set(points)].map((point) => ["rd.break", point]);
}

function breakFor(value: string): Ours | undefined {
  return /^(?:emergency|rescue)\.target$/.test(value) ? [["rd.break"]] : undefined;
}

function insteadOfBoot(value: string): string | undefined {
  if (value === "live" || value === "casper") return "Write root=live:DEVICE";
  return value === "nfs" ? "Write root=/dev/nfs" : undefined;
}

function insteadOfOverlay(value: string): string | undefined {
  return value === "" || value === "disabled"
    ? undefined
    : "Write rd.overlay=DEVICE, or rd.overlay=1 for memory";
}

function insteadOfVolatile(value: string): string | undefined {
  return value === "yes" ? "Write systemd.volatile=overlay, which covers the whole root" : undefined;
}
