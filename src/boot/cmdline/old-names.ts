/**
 * Parameters by the names that they had before dracut's version 008, and that many a boot loader's configuration still
 * holds. Follows dracut.cmdline(7), "Deprecated, renamed Options", and what its modules ask `getarg -d` for.
 */

import { text } from "../../lib/bytes.ts";
import type { Word } from "./cmdline.ts";
import { switchValue } from "./switch-word.ts";

/** The words by the names that the rest of rdinit knows, and a sentence for each that was old. */
export function renewWords(words: readonly Word[]): { words: Word[]; remarks: string[] } {
  const remarks: string[] = [];
  const renewed = words.map((word) => {
    const modern = modernOf(word);
    if (modern === undefined) return word;
    remarks.push(`${shown(word)} counts as ${shown(modern)}, which is its name now.`);
    return modern;
  });
  return { words: renewed, remarks };
}

function modernOf({ name, value }: Word): Word | undefined {
  const renamed = find(VALUES, name);
  if (renamed !== undefined) return value === "" ? undefined : { name: renamed, value };
  const switchedOn = find(ONS, name);
  if (switchedOn !== undefined) return { name: switchedOn, value };
  const switchedOff = find(OFFS, name);
  const said = value === undefined || switchValue(value);
  return switchedOff === undefined || said === undefined
    ? undefined
    : { name: switchedOff, value: said ? "0" : "1" };
}

function find(names: Readonly<Record<string, string>>, name: string): string | undefined {
  // Tens of names at each boot: asked for by one key, - and _ being the same (sameName(), cmdline.ts).
  const key = name.replaceAll("-", "_");
  return Object.hasOwn(names, key) ? names[key] : undefined;
}

// Any other value may be a password.
function shown({ name, value }: Word): string {
  if (value === undefined) return text(name);
  return `${text(name)}=${switchValue(value) === undefined ? "" : text(value)}`;
}

/** The same by another name. */
const VALUES: Readonly<Record<string, string>> = {
  rd_LUKS_UUID: "rd.luks.uuid",
  rd_LVM_LV: "rd.lvm.lv",
  rd_LVM_VG: "rd.lvm.vg",
  rd_MD_UUID: "rd.md.uuid",
  rd_retry: "rd.retry",
  rdblacklist: "rd.driver.blacklist",
  rdbreak: "rd.break",
  rdinsmodpost: "rd.driver.post",
  rdloaddriver: "rd.driver.pre",
  iscsi_initiator: "rd.iscsi.initiator",
  iscsi_target_name: "rd.iscsi.target.name",
  iscsi_target_ip: "rd.iscsi.target.ip",
  iscsi_target_port: "rd.iscsi.target.port",
  iscsi_target_group: "rd.iscsi.target.group",
  iscsi_username: "rd.iscsi.username",
  iscsi_password: "rd.iscsi.password",
  iscsi_in_username: "rd.iscsi.in.username",
  iscsi_in_password: "rd.iscsi.in.password",
};

/** Switches that meant the same. */
const ONS: Readonly<Record<string, string>> = {
  rdinfo: "rd.info",
  rdinitdebug: "rd.debug",
  rdnetdebug: "rd.debug",
  rdshell: "rd.shell",
  readonly_overlay: "rd.overlay.readonly",
  reset_overlay: "rd.overlay.reset",
};

/** Switches that meant the opposite. */
const OFFS: Readonly<Record<string, string>> = {
  rd_NO_CRYPTTAB: "rd.luks.crypttab",
  rd_NO_DM: "rd.dm",
  rd_NO_FSTAB: "rd.fstab",
  rd_NO_LUKS: "rd.luks",
  rd_NO_LVM: "rd.lvm",
  rd_NO_MD: "rd.md",
  rd_NO_MDADMCONF: "rd.md.conf",
  rd_NO_MDIMSM: "rd.md.imsm",
  rd_NO_MULTIPATH: "rd.multipath",
  rd_NO_PLYMOUTH: "rd.plymouth",
};
