/** Layers that the small kernel has no driver for, on the distribution's: a linear array, a cached logical volume. */

import { beforeAll, expect, test } from "bun:test";
import { MACHINE_DRIVERS, rdinitImage } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { buildProbe } from "../../qemu/probe.ts";
import { TEST_MS, bootRdinit, expectSaid, probed } from "../../qemu/scenario.ts";
import { LAYERS, type LayerDisks, layerDisks } from "../../qemu/storage/layers.ts";
import { LVM } from "../../qemu/storage/lvm.ts";
import { MAKE_MS } from "../fixtures/encrypted-boot.ts";

let kernel: Kernel;
let disks: LayerDisks;
let initrd: string;

beforeAll(async () => {
  kernel = await stockKernel();
  disks = await layerDisks(await buildProbe());
  const drivers = [...MACHINE_DRIVERS, "dm_mod"];
  initrd = await rdinitImage({ name: "storage-layers", kernel, drivers, tools: ["mdadm", "lvm"] });
}, MAKE_MS);

function boot(name: string, append: string, files: readonly string[]) {
  const machine = { kernel: kernel.vmlinuz, initrd, disks: files.map((file) => ({ file })) };
  return bootRdinit(`layers-${name}`, { ...machine, append: `${append} panic=-1` });
}

test(
  "the root on a partition of a linear array whose name ends with a digit",
  async () => {
    const machine = await boot("linear", `root=/dev/md/${LAYERS.array_name}p1`, disks.linear);
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/md127p1");
    expectSaid(machine, [/ is started as \/dev\/md\/linear0, of vda and vdb$/]);
  },
  TEST_MS,
);

test(
  "a linear array has no member to spare",
  async () => {
    const append = `root=/dev/md/${LAYERS.array_name}p1 rd.timeout=3 rd.md.timeout=1 rd.shell=0`;
    const machine = await boot("linear-half", append, disks.linear.slice(0, 1));
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /^array .* could not be started: it has 1 of 2 members \(vda\), and needs all at this level\.$/,
    ]);
  },
  TEST_MS,
);

test(
  "the root on a cached volume",
  async () => {
    const machine = await boot("cached", `root=UUID=${LVM.filesystem}`, disks.cached);
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("ext4");
    expectSaid(machine, [`lvm activated ${LVM.group}/${LVM.root}`]);
  },
  TEST_MS,
);

test(
  "a cached volume without its cache is not activated",
  async () => {
    const append = `root=/dev/${LVM.group}/${LVM.root} rd.timeout=3 rd.shell=0`;
    const machine = await boot("uncached", append, disks.cached.slice(0, 1));
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /^The volume group vg-a has 1 of 2 physical volumes; missing: .* \(last seen as \/dev\/vdd\)/,
    ]);
  },
  TEST_MS,
);
