/** The command that activates logical volumes, for a system without udevd, lvmpolld and dmeventd. */

import type { Reason } from "./lvm-plan.ts";
import type { ActivationMode } from "./lvm-settings.ts";

export interface Activation {
  /** The volumes, "VG/LV"; at least one. */
  readonly volumes: readonly string[];
  readonly reason: Reason;
  readonly mode: ActivationMode;
  /** The nodes of the physical volumes that are there: no other device is looked at. */
  readonly nodes: readonly string[];
}

/**
 * The words of lvchange(8). `--sysinit` stands for --ignorelockingfailure, --ignoremonitoring and --poll n.
 * No lock is taken, as no other lvm runs, and nothing of it is left in /run.
 */
export function activationCommand({ volumes, reason, mode, nodes }: Activation): string[] {
  return [
    ...["lvm", "lvchange", "--yes", "--sysinit", "--nolocking"],
    reason === "any" ? "-aay" : "-ay",
    ...(reason === "named" ? ["--ignoreactivationskip"] : []),
    ...["--activationmode", mode],
    ...["--config", configuration(nodes)],
    ...volumes,
  ];
}

/** What lvm finds in its environment: udevd takes no part, and nothing complains of open descriptors. */
export const lvmEnvironment: Readonly<Record<string, string>> = {
  DM_DISABLE_UDEV: "1",
  LC_ALL: "C",
  LVM_SUPPRESS_FD_WARNINGS: "1",
};

/**
 * Goes before what /etc/lvm/lvm.conf of the image says (lvm.conf(5)); names that an older lvm does not know are
 * passed over. The filter of the image would speak of links that udev makes; a global_filter counts beside this one.
 */
function configuration(nodes: readonly string[]): string {
  const accepted = nodes.map((node) => `"a|^${node.replace(/[^\w/-]/g, "\\\\$&")}$|"`);
  const settings = {
    devices: [
      "obtain_device_list_from_udev=0",
      'external_device_info_source="none"',
      "use_devicesfile=0",
      // Files that would be left in /run for the real system.
      'hints="none"',
      `filter=[${[...accepted, '"r|.*|"'].join(",")}]`,
    ],
    activation: ["udev_sync=0", "udev_rules=0", "verify_udev_operations=0", "monitoring=0"],
    global: ["use_lvmpolld=0", "use_lvmlockd=0", "notify_dbus=0"],
    backup: ["backup=0", "archive=0"],
  };
  return Object.entries(settings)
    .map(([section, values]) => `${section}{${values.join(" ")}}`)
    .join(" ");
}
