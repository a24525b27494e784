/** Block devices that no hardware makes, by the kernel's names of them. */

import type { LayerKind } from "./layer.ts";

/** What such a device is. */
export interface VirtualDevice {
  readonly name: RegExp;
  readonly kind: LayerKind;
  readonly what: string;
  readonly modules: readonly string[];
  /** The recipe of what sets it up, where there is one. */
  readonly tool?: string;
  /** What an image can't do for it, the end of a sentence that begins with its node. */
  readonly note?: string;
}

/** The row for a kernel's name ("loop0"); undefined for disks of hardware, arrays and mappings. */
export function virtualDevice(name: string): VirtualDevice | undefined {
  return VIRTUAL.find((row) => row.name.test(name));
}

const VIRTUAL: readonly VirtualDevice[] = [
  {
    name: /^bcache\d/,
    kind: "cache",
    what: "bcache",
    modules: ["bcache"],
    note: "is a bcache device, which has to be registered in /sys/fs/bcache before it is there",
  },
  {
    name: /^loop\d/,
    kind: "loop",
    what: "loop",
    modules: ["loop"],
    note: "is a loop device, which has to be set up before it is there",
  },
  {
    name: /^nbd\d/,
    kind: "network",
    what: "nbd",
    modules: ["nbd"],
    tool: "nbd-client",
    note: "is a disk over the network, to which nbd-client has to connect",
  },
  {
    name: /^rbd\d/,
    kind: "network",
    what: "rbd",
    modules: ["rbd"],
    note: "is a disk over the network, which has to be mapped before it is there",
  },
  {
    name: /^drbd\d/,
    kind: "network",
    what: "drbd",
    modules: ["drbd"],
    note: "is a DRBD device, which has to be set up by its own tools; what it lies on can't be told",
  },
  {
    name: /^zd\d/,
    kind: "mapping",
    what: "a ZFS volume",
    modules: ["zfs"],
    note: "is a volume of a ZFS pool; which disks that is on can't be told",
  },
  {
    name: /^zram\d/,
    kind: "disk",
    what: "memory",
    modules: ["zram"],
    note: "is in memory, and empty after a boot",
  },
  {
    name: /^ram\d/,
    kind: "disk",
    what: "memory",
    modules: ["brd"],
    note: "is in memory, and empty after a boot",
  },
];

/** The module for each level of an array, as md/level says it. */
export const ARRAY_MODULES: Readonly<Record<string, string>> = {
  linear: "linear",
  multipath: "multipath",
  raid0: "raid0",
  raid1: "raid1",
  raid10: "raid10",
  raid4: "raid456",
  raid5: "raid456",
  raid6: "raid456",
};

/** Modules of disks to which a network must lead. */
export const NETWORK_DISKS: ReadonlySet<string> = new Set([
  ...[
    "iscsi_tcp",
    "bnx2i",
    "be2iscsi",
    "qedi",
    "cxgb3i",
    "cxgb4i",
    "qla4xxx",
    "ib_iser",
    "ib_srp",
    "fcoe",
    "bnx2fc",
  ],
  ...["nvme_tcp", "nvme_rdma"],
]);
