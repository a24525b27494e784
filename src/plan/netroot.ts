/** What /init would do about roots that are elsewhere, as sentences for `rdinit plan`. */

import { MS_RDONLY } from "../../syscalls/index.ts";
import type { Word } from "../boot/cmdline/cmdline.ts";
import { newRoot } from "../boot/context.ts";
import { describeNetRoot } from "../boot/netroot/forms.ts";
import { reasonForNetwork } from "../boot/netroot/netroot.ts";
import { planNfs } from "../boot/netroot/nfs-plan.ts";
import { readNetRootSettings } from "../boot/netroot/settings.ts";
import { shareOptions } from "../boot/netroot/share-options.ts";
import type { NetRoot } from "../boot/netroot/types.ts";
import type { Options } from "../boot/cmdline/options.ts";
import { planMount } from "../boot/root.ts";
import { UserError } from "../lib/errors.ts";
import { text } from "../lib/bytes.ts";

export interface NetRootPlan {
  /** Why it needs the network, as it fits behind "for"; undefined when it does not. */
  readonly why: string | undefined;
  /** What is done before the root is looked for, when the network is up. */
  readonly steps: readonly string[];
  /** How the root is mounted, when it is elsewhere; undefined when it is a device of the machine. */
  readonly mount: readonly string[] | undefined;
}

/** @throws UserError when root= makes no sense */
export function planNetRoot(words: readonly Word[], options: Options): NetRootPlan {
  const { settings } = readNetRootSettings(words);
  const { root, problem, disks, dhcp } = settings;
  if (problem !== undefined) throw new UserError(`root= makes no sense: ${problem}`);
  const why = reasonForNetwork(settings, options.rootFlags);
  const own = root !== undefined && isDisk(root) && !disks.includes(root) ? [root] : [];
  return {
    why,
    steps: [
      ...(dhcp ? ["Take the root, or the disk that it is on, from the DHCP server's answer."] : []),
      ...(settings.iscsi.firmware
        ? ["Attach the disks of iSCSI that the firmware has booted from, by iscsistart."]
        : []),
      ...[...disks, ...own].map(
        (disk) => `Attach the disk ${describeNetRoot(disk)}, by ${TOOLS[disk.kind]}.`,
      ),
    ],
    mount: root === undefined ? undefined : describeMount(root, words, options),
  };
}

const TOOLS = { nbd: "nbd-client", iscsi: "iscsistart" } as const;

function isDisk(root: NetRoot): root is NetRoot & { kind: "nbd" | "iscsi" } {
  return root.kind === "nbd" || root.kind === "iscsi";
}

function describeMount(root: NetRoot, words: readonly Word[], options: Options): string[] {
  const { flags, data } = planMount(options, words);
  const how = (flags & MS_RDONLY) === 0 ? "read-write" : "read-only";
  switch (root.kind) {
    case "dhcp":
      return [`Mount that on ${newRoot}, ${how}.`];
    case "nfs": {
      const list = [root.options, data].filter((one) => one !== "").join(",");
      const versions = planNfs("", list, root.mayBe3).attempts.map(({ version }) => version);
      return [`Mount ${describeNetRoot(root)} on ${newRoot}, ${how}, by NFS ${versions.join(" or ")}.`];
    }
    case "nbd":
    case "iscsi":
      return [`Mount that disk on ${newRoot}, ${how}.`];
    default: {
      const given = shareOptions(root.kind, data);
      const added = given === "" ? "" : `, with the options ${text(given)}`;
      return [`Mount the share ${text(root.tag)} of the host on ${newRoot} as ${root.kind}, ${how}${added}.`];
    }
  }
}
