/** What there may be many of, how many are tried, and with what. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BENCH_DIR, BENCH_UUID, type BenchOptions, benchDisk, markTree } from "../bench/boot.ts";
import { buildBenchImage } from "../bench/images.ts";
import { builtinKernel, type Kernel } from "../kernel.ts";
import { makeDisksInGuest } from "../maker.ts";
import { dracut } from "../peers/dracut.ts";
import { initramfsTools } from "../peers/initramfs-tools.ts";
import { type Peer, peerImage, peersNeed } from "../peers/peer.ts";
import { manyDisks } from "./disks.ts";
import { stormDisk, stormImage } from "./storm.ts";
import { volumesRecipe } from "./volumes.ts";

/** Something of which a machine may have much. */
export interface Dimension {
  /** The word for it on the command line and in the record. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  /** Who is measured; the others could be, but take minutes. */
  readonly who: readonly string[];
  /** The boot of a machine of this size; undefined when that contender can't be measured here. */
  readonly boot: (kernel: Kernel, who: string, size: number) => Promise<BenchOptions | undefined>;
}

const RDINIT = "rdinit";
const PEERS: Readonly<Record<string, Peer>> = { "initramfs-tools": initramfsTools, dracut };
const APPEND = `root=UUID=${BENCH_UUID}`;

export const DIMENSIONS: readonly Dimension[] = [
  {
    name: "disks",
    title: "Disks of virtio-scsi, the root on the last",
    unit: "disks",
    sizes: [4, 64, 512],
    who: [RDINIT, ...Object.keys(PEERS)],
    boot: async (kernel, who, size) => {
      const options = ["--drivers", "virtio_pci virtio_scsi sd_mod ext4"];
      const initrd = await imageOf(kernel, who, "scale-disks", options);
      if (initrd === undefined) return undefined;
      const machine = { disks: [], arguments: manyDisks(size, await benchDisk()) };
      return { ...machine, name: "", kernel: kernel.vmlinuz, initrd, append: APPEND };
    },
  },
  {
    name: "volumes",
    title: "Logical volumes of one group, all activated",
    unit: "volumes",
    sizes: [4, 100, 1000],
    who: [RDINIT],
    boot: async (kernel, who, size) => {
      const drivers = ["--drivers", "virtio_pci virtio_blk ext4 dm_mod", "--tools", "lvm"];
      const initrd = await imageOf(kernel, who, "scale-volumes", drivers);
      if (initrd === undefined) return undefined;
      const disks = await makeDisksInGuest(volumesRecipe(size, await markTree()));
      return { name: "", kernel: kernel.vmlinuz, initrd, disks, append: APPEND };
    },
  },
  {
    name: "events",
    title: "Uevents before the root comes",
    unit: "events",
    sizes: [1000, 10_000, 100_000],
    who: [RDINIT],
    boot: async (_, __, size) => ({
      name: "",
      kernel: (await builtinKernel()).vmlinuz,
      initrd: await stormImage("scale-events"),
      disks: [await benchDisk(), stormDisk(BENCH_DIR)],
      append: `${APPEND} storm.events=${size}`,
    }),
  },
  {
    name: "modules",
    title: "Modules loaded before the root is looked for",
    unit: "modules",
    sizes: [10, 100, 500],
    who: [RDINIT],
    boot: async (kernel, who, size) => {
      const names = harmlessModules(readFileSync(join(kernel.modules, "modules.order"), "utf8"), size);
      const drivers = ["virtio_pci", "virtio_blk", "ext4", ...names].join(" ");
      const words = `rd.driver.pre=${names.join(",")}`;
      const initrd = await imageOf(kernel, who, "scale-modules", ["--drivers", drivers, "--cmdline", words]);
      if (initrd === undefined) return undefined;
      return { name: "", kernel: kernel.vmlinuz, initrd, disks: [await benchDisk()], append: APPEND };
    },
  },
];

/** What modules are for that take seconds when they are loaded: tests of the kernel's, and the choice of a fastest way. */
const WORKS_LONG = /test|error-inject|raid6_pq/;

/** The first `count` modules of kinds that any machine can load: they touch no device, and test nothing. */
export function harmlessModules(modulesOrder: string, count: number): string[] {
  const kinds = ["fs/nls", "net/sched", "net/netfilter", "lib", "net/ipv4", "net/ipv6", "net"];
  const files = modulesOrder.split("\n").filter((file) => !WORKS_LONG.test(file));
  const found = new Set(kinds.flatMap((kind) => files.filter((file) => file.startsWith(`kernel/${kind}/`))));
  return [...found].slice(0, count).map((file) => (file.split("/").pop() ?? "").replace(/\.ko.*$/, ""));
}

async function imageOf(
  kernel: Kernel,
  who: string,
  name: string,
  options: readonly string[],
): Promise<string | undefined> {
  const peer = Object.hasOwn(PEERS, who) ? PEERS[who] : undefined;
  if (peer === undefined) return buildBenchImage({ name, kernel, options });
  return peersNeed() === undefined ? peerImage(peer, kernel) : undefined;
}
