/** Parameters that the parts of the boot read for themselves, each in a file of its own. */

import type { Word } from "./cmdline.ts";
import { exitrdParameters, readExitrdSettings } from "../handover/keep-exitrd.ts";
import { fsckParameters, readFsckSettings } from "../fsck/settings.ts";
import { oldRootParameters, readOldRootSettings } from "../handover/oldroot.ts";
import { fstabParameters, readFstabSettings } from "../mount/fstab-plan.ts";
import { liveParameters, readLiveSettings } from "../live/settings.ts";
import { netRootParameters } from "../netroot/parameters.ts";
import { readNetRootSettings } from "../netroot/settings.ts";
import { readRemoteSettings, remoteParameters } from "../remote/settings.ts";
import { readResumeSettings, resumeParameters } from "../resume.ts";
import { luksParameters, readLuksSettings } from "../storage/luks-settings.ts";
import { lvmParameters, readLvmSettings } from "../storage/lvm-settings.ts";
import { mdParameters, readMdSettings } from "../storage/md-settings.ts";
import { networkParameters, readNetworkSettings } from "../../network/settings.ts";
import { readTimingSettings, timingParameters } from "../timing/settings.ts";
import { readSystemdSettings, systemdParameters } from "../handover/systemd-state.ts";

/** A parameter as the help and the README show it. */
export interface ParameterRow {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
}

/** All of them, in the order of the manual. */
export const subsystemParameters: readonly ParameterRow[] = [
  ...mdParameters,
  ...lvmParameters,
  ...luksParameters,
  ...remoteParameters,
  ...fsckParameters,
  ...fstabParameters,
  ...liveParameters,
  ...netRootParameters,
  ...resumeParameters,
  ...systemdParameters,
  ...timingParameters,
  ...exitrdParameters,
  ...oldRootParameters,
  ...networkParameters,
];

/** Sentences about values that make no sense. */
export function subsystemComplaints(words: readonly Word[]): string[] {
  return READERS.flatMap((read) => read(words).complaints);
}

const READERS: readonly ((words: readonly Word[]) => { readonly complaints: readonly string[] })[] = [
  readMdSettings,
  readLvmSettings,
  readLuksSettings,
  readRemoteSettings,
  readFsckSettings,
  readFstabSettings,
  readLiveSettings,
  readNetRootSettings,
  readResumeSettings,
  readSystemdSettings,
  readTimingSettings,
  readExitrdSettings,
  readOldRootSettings,
  readNetworkSettings,
];
