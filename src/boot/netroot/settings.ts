/** The parameters of roots elsewhere: dracut.cmdline(7). */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { type FormContext, parseNetRoot } from "./forms.ts";
import { readSwitchWord } from "../cmdline/switch-word.ts";
import { parseIscsi } from "./iscsi-form.ts";
import { firmwareParameter } from "./parameters.ts";
import type { IscsiDisk, NetDisk, NetRoot } from "./types.ts";

export interface NetRootSettings {
  /** The root, when it is elsewhere. */
  readonly root: NetRoot | undefined;
  /** A sentence when root= begins as such a root and makes no sense. */
  readonly problem: string | undefined;
  /** Disks that are attached besides, for a root on them. */
  readonly disks: readonly NetDisk[];
  /** The DHCP server names the root, or the disk that it is on. */
  readonly dhcp: boolean;
  readonly iscsi: IscsiSettings;
}

export interface IscsiSettings {
  /** The disks that the firmware has booted from are attached too. */
  readonly firmware: boolean;
  /** The name by which we log in; undefined takes that of the image, or makes one. */
  readonly initiator: string | undefined;
  /** Settings of the session, NAME=VALUE. */
  readonly params: readonly string[];
  readonly context: FormContext;
}

/** What the words say, and a sentence for each that could not be used. */
export function readNetRootSettings(words: readonly Word[]): {
  settings: NetRootSettings;
  complaints: string[];
} {
  const last = (name: string): string | undefined => {
    const value = words.findLast((word) => sameName(word.name, name))?.value;
    return value === "" ? undefined : value;
  };
  const complaints: string[] = [];
  const group = readGroup(last("rd.iscsi.target.group"), complaints);
  const login = {
    user: last("rd.iscsi.username"),
    password: last("rd.iscsi.password"),
    userIn: last("rd.iscsi.in.username"),
    passwordIn: last("rd.iscsi.in.password"),
  };
  const types = last("rd.rootfstype") ?? last("rootfstype");
  const context: FormContext = {
    type: types?.split(",")[0],
    nfsroot: last("nfsroot"),
    iscsi: { group, login },
  };
  const named = last("rd.root") ?? last("root");
  // "root=/dev/root netroot=…" leaves it all to netroot=, in dracut's older manuals.
  const said = named === "/dev/root" && last("netroot") !== undefined ? undefined : named;
  const written = said ?? (context.nfsroot === undefined ? undefined : "/dev/nfs");
  if (context.nfsroot !== undefined && written !== "/dev/nfs")
    complaints.push(`nfsroot=${text(context.nfsroot)} is ignored: it counts only with root=/dev/nfs.`);
  const netroots = readNetroots(words, context, written === undefined, complaints);
  const disk = readTarget(last, context);
  if (typeof disk === "string") complaints.push(disk);
  // A bare "iscsi" stands for rd.iscsi.target.name= and its like.
  const isTarget = /^iscsi:?$/.test(written ?? "") && typeof disk === "object";
  const root = written === undefined || isTarget ? undefined : parseNetRoot(written, context);
  const own = isTarget ? disk : written === undefined ? netroots.root : undefined;
  const firmware = readSwitchWord(words, firmwareParameter, false);
  complaints.push(...firmware.complaints);
  const settings: NetRootSettings = {
    root: typeof root === "string" ? undefined : (root ?? own),
    problem: typeof root === "string" ? root : undefined,
    disks: [...netroots.disks, ...(typeof disk === "object" ? [disk] : [])],
    dhcp: netroots.dhcp || (typeof root === "object" && root.kind === "dhcp"),
    iscsi: {
      firmware: firmware.on,
      initiator: last("rd.iscsi.initiator"),
      params: words.flatMap(({ name, value = "" }) =>
        sameName(name, "rd.iscsi.param") && value.includes("=") ? [value] : [],
      ),
      context,
    },
  };
  return { settings, complaints };
}

interface Netroots {
  readonly disks: NetDisk[];
  /** Of the first that names a root by itself, where root= does not. */
  root: NetRoot | undefined;
  dhcp: boolean;
}

/** @param isAlone root= leaves it to netroot= what the root is, which may be a filesystem then */
function readNetroots(
  words: readonly Word[],
  context: FormContext,
  isAlone: boolean,
  complaints: string[],
): Netroots {
  const found: Netroots = { disks: [], root: undefined, dhcp: false };
  for (const { name, value = "" } of words) {
    if (!sameName(name, "netroot") || value === "" || /^iscsi:?$/.test(value)) continue;
    const root = parseNetRoot(value, { ...context, type: undefined });
    if (typeof root === "object" && (root.kind === "nbd" || root.kind === "iscsi")) found.disks.push(root);
    else if (typeof root === "object" && root.kind === "dhcp") found.dhcp = true;
    else if (typeof root !== "object" || root.kind !== "nfs" || !isAlone)
      complaints.push(
        `netroot= is ignored: ${typeof root === "string" ? root : `${text(value)} is neither nbd:… nor iscsi:… nor dhcp.`}`,
      );
    if (typeof root === "object") found.root ??= root;
  }
  return found;
}

function readTarget(
  last: (name: string) => string | undefined,
  { iscsi }: FormContext,
): IscsiDisk | string | undefined {
  const target = last("rd.iscsi.target.name");
  if (target === undefined) return undefined;
  const server = last("rd.iscsi.target.ip");
  if (server === undefined)
    return `rd.iscsi.target.name=${text(target)} is ignored: rd.iscsi.target.ip= must say where that is.`;
  const host = server.includes(":") && !server.startsWith("[") ? `[${server}]` : server;
  const disk = parseIscsi(`@${host}::${last("rd.iscsi.target.port") ?? ""}::${target}`, iscsi);
  return typeof disk === "string" ? `rd.iscsi.target.name=${text(target)} is ignored: ${disk}` : disk;
}

function readGroup(written: string | undefined, complaints: string[]): number | undefined {
  if (written === undefined || /^\d{1,5}$/.test(written))
    return written === undefined ? undefined : Number(written);
  complaints.push(`rd.iscsi.target.group=${text(written)} is ignored: it is no number.`);
  return undefined;
}
