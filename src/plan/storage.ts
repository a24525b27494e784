/** What /init would do about arrays, volumes, encryption, hibernation and checks, as sentences for `rdinit plan`. */

import type { Word } from "../boot/cmdline/cmdline.ts";
import { describeRef } from "../boot/devices/deviceref.ts";
import { readFsckSettings } from "../boot/fsck/settings.ts";
import { readFstabSettings } from "../boot/mount/fstab-plan.ts";
import { readResumeSettings } from "../boot/resume.ts";
import { readLuksSettings } from "../boot/storage/luks-settings.ts";
import { readLvmSettings } from "../boot/storage/lvm-settings.ts";
import { readMdSettings } from "../boot/storage/md-settings.ts";
import { text } from "../lib/bytes.ts";
import { dashUuid } from "../lib/uuid.ts";

/** What is made of the disks while the root is waited for. */
export function describeStorage(words: readonly Word[]): string[] {
  return [...describeMd(words), ...describeLuks(words), ...describeLvm(words)];
}

/** What comes before the root is looked for. */
export function describeResume(words: readonly Word[]): string[] {
  const { device } = readResumeSettings(words).settings;
  return device === undefined
    ? []
    : [`Wake a hibernated system from ${describeRef(device)}, if it holds one, before anything is mounted.`];
}

/** What comes before a filesystem is mounted. */
export function describeCheck(words: readonly Word[]): string[] {
  const { mode, repair } = readFsckSettings(words).settings;
  if (mode === "skip") return [];
  const how = { preen: "what is safe to mend", yes: "everything that can be mended", no: "nothing" }[repair];
  const always = mode === "force" ? ", even if it is marked clean" : "";
  return [`Check it by its own tool, if the image holds that${always}, and mend ${how}.`];
}

/** What is mounted besides the root. */
export function describeFstab(words: readonly Word[]): string[] {
  const { mounts, automatic, usr } = readFstabSettings(words).settings;
  const own = usr === undefined ? ["/usr"] : [];
  const wanted = [...(automatic ? [...own, "what is marked x-initrd.mount"] : []), ...mounts.map(text)];
  return [
    ...(usr === undefined ? [] : [`Mount ${text(usr.device)} on /usr (${text(usr.options)}).`]),
    ...(wanted.length === 0 ? [] : [`Mount of its fstab, where it is there: ${wanted.join(", ")}.`]),
  ];
}

function describeMd(words: readonly Word[]): string[] {
  const { enabled, uuids, timeout_ms } = readMdSettings(words).settings;
  if (!enabled) return ["Leave arrays of md alone."];
  const which = uuids.length === 0 ? "arrays of md" : `the arrays ${uuids.map(text).join(", ")}`;
  const degraded =
    timeout_ms === undefined
      ? "never degraded"
      : `degraded after ${timeout_ms / 1000} s without the missing ones`;
  return [`Meanwhile put together ${which} as their members appear; ${degraded}.`];
}

function describeLuks(words: readonly Word[]): string[] {
  const { enabled, uuids, names } = readLuksSettings(words).settings;
  if (!enabled) return ["Leave encrypted volumes closed."];
  const digits = new Set([...uuids, ...names.flatMap(({ uuid }) => uuid ?? [])]);
  const named = [...digits].map((uuid) => dashUuid(uuid) ?? uuid);
  const which =
    named.length === 0
      ? "the encrypted volumes that crypttab names or the root needs"
      : `the encrypted volumes ${named.join(", ")}`;
  return [`Meanwhile open ${which}: by token, key file, or a passphrase that is asked for on the console.`];
}

function describeLvm(words: readonly Word[]): string[] {
  const { enabled, groups, volumes, mode } = readLvmSettings(words).settings;
  if (!enabled) return ["Leave logical volumes inactive."];
  const named = [...groups, ...volumes.map(({ group, volume }) => `${group}/${volume}`)].map(text);
  const which =
    named.length === 0
      ? "the logical volumes that the root needs"
      : `the logical volumes of ${named.join(", ")}`;
  const lacking = mode === "complete" ? "" : `, ${mode} ones too`;
  return [`Meanwhile activate ${which}${lacking}, once their disks are there.`];
}
