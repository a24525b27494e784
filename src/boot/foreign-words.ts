/**
 * Parameters of other early userspaces, and what to write for rdinit in their place: mkinitcpio(8) and its hooks,
 * initramfs-tools(7), Debian's cryptsetup, booster's manual, and systemd's generators.
 */

import { type Word, sameName } from "./cmdline.ts";
import { text } from "../lib/bytes.ts";

/**
 * A sentence for a word that speaks to another early userspace; undefined for other words, and for those whose value
 * asks for nothing.
 */
export function foreignAdvice({ name, value = "" }: Word): string | undefined {
  const row = ROWS.find((one) => sameName(one.name, name));
  const instead = row?.instead(value);
  return instead === undefined ? undefined : `it is for ${row?.whose}. For rdinit ${instead}.`;
}

/** True for words to programs of other early userspaces that rdinit does without: nothing is lost with them. */
export function isNeedless({ name }: Word): boolean {
  return /^rd[._](?:udev|systemd|plymouth)(?:[._]|$)/.test(name);
}

/** A clause about a root= of another early userspace; undefined for others. */
export function foreignRoot(root: string): string | undefined {
  return ROOTS.find(([form]) => form.test(root))?.[1];
}

interface Row {
  readonly name: string;
  readonly whose: string;
  /** A clause behind "For rdinit"; undefined when nothing has to be done. */
  readonly instead: (value: string) => string | undefined;
}

const MKINITCPIO = "mkinitcpio";
const INITRAMFS_TOOLS = "initramfs-tools";

const ROWS: readonly Row[] = [
  { name: "cryptdevice", whose: "mkinitcpio's encrypt", instead: insteadOfCryptdevice },
  { name: "cryptkey", whose: "mkinitcpio's encrypt", instead: insteadOfCryptkey },
  { name: "cryptopts", whose: INITRAMFS_TOOLS, instead: insteadOfCryptopts },
  { name: "break", whose: "initramfs-tools and mkinitcpio", instead: insteadOfBreak },
  { name: "earlymodules", whose: MKINITCPIO, instead: writeValue("rd.driver.pre") },
  { name: "rd.log", whose: MKINITCPIO, instead: () => "write debug, which says everything" },
  { name: "blacklist", whose: INITRAMFS_TOOLS, instead: writeValue("modprobe.blacklist") },
  { name: "fsckfix", whose: INITRAMFS_TOOLS, instead: () => "write fsck.repair=yes" },
  { name: "boot", whose: INITRAMFS_TOOLS, instead: insteadOfBoot },
  { name: "rd.modules_force_load", whose: "booster", instead: writeValue("rd.driver.pre") },
  { name: "booster.log", whose: "booster", instead: () => "write debug, which says everything" },
  { name: "rd.modules-load", whose: "systemd", instead: writeValue("rd.driver.pre") },
  {
    name: "rd.systemd.unit",
    whose: "systemd",
    instead: (value) =>
      /^(?:emergency|rescue)\.target$/.test(value)
        ? "write rd.break, which starts a shell before the hand-over"
        : undefined,
  },
  {
    name: "rd.systemd.pull",
    whose: "systemd",
    instead: () => "put the image on a disk, and write root=live:DEVICE",
  },
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

function writeValue(name: string): (value: string) => string | undefined {
  return (value) => (value === "" ? undefined : `write ${name}=${text(value)}`);
}

/** `DEVICE:NAME[:OPTIONS]` */
function insteadOfCryptdevice(value: string): string {
  const [, device = value, name = "NAME", options = ""] =
    /^((?:\/dev\/|[A-Z]+=)[^:]*|[^:]*):([^:]*)(?::([^]*))?$/.exec(value) ?? [];
  const discard = /(?:^|,)(?:allow-)?discards?(?:,|$)/.test(options) ? " rd.luks.options=discard" : "";
  return writeName(device, name, discard);
}

/** `target=NAME,source=DEVICE,…` */
function insteadOfCryptopts(value: string): string {
  const fields = new Map(value.split(",").map((field) => [field.replace(/=[^]*$/, ""), field]));
  const field = (name: string): string | undefined => fields.get(name)?.slice(name.length + 1);
  const discard = fields.has("discard") ? " rd.luks.options=discard" : "";
  return writeName(field("source") ?? "DEVICE", field("target") ?? "NAME", discard);
}

function writeName(device: string, name: string, more: string): string {
  const uuid = /^(?:UUID=|\/dev\/disk\/by-uuid\/)([0-9a-f-]+)$/i.exec(device)?.[1];
  const where = uuid === undefined ? `, UUID being what 'cryptsetup luksUUID ${text(device)}' says` : "";
  return `write rd.luks.name=${uuid ?? "UUID"}=${text(name)}${more}${where}`;
}

/** `rootfs:PATH`, `DEVICE:FILESYSTEM:PATH` or `DEVICE:OFFSET:SIZE` */
function insteadOfCryptkey(value: string): string {
  const [device = "", second = "", third = ""] = value.split(":");
  if (device === "rootfs") return `write rd.luks.key=${text(second)}`;
  if (/^\d+$/.test(second) && /^\d+$/.test(third))
    return `write rd.luks.key=${text(device)} rd.luks.options=keyfile-offset=${second},keyfile-size=${third}`;
  return `write rd.luks.key=${text(third)}:${text(device)}`;
}

/** Their points of the boot by ours. */
const BREAKS: Readonly<Record<string, string>> = {
  top: "cmdline",
  modules: "pre-trigger",
  premount: "pre-mount",
  mount: "mount",
  mountroot: "mount",
  postmount: "pre-pivot",
  bottom: "pre-pivot",
};

function insteadOfBreak(value: string): string {
  const point = Object.hasOwn(BREAKS, value) ? BREAKS[value] : undefined;
  return point === undefined ? "write rd.break" : `write rd.break=${point}`;
}

function insteadOfBoot(value: string): string | undefined {
  if (value === "live" || value === "casper") return "write root=live:DEVICE";
  return value === "nfs" ? "write root=/dev/nfs" : undefined;
}
