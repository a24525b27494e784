/** A root on a btrfs over two disks: all there, one late, one missing, one missing and done without. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { buildProbe } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { MIRROR_PASSPHRASE, MIRROR_UUID, btrfsMirror } from "../../qemu/storage/more.ts";

const ROOT = `root=UUID=${MIRROR_UUID}`;
const HALF = `the btrfs ${MIRROR_UUID} has 1 of its 2 devices (vda)`;
let kernel: Kernel;
let initrd: string;
let disks: readonly [string, string];

beforeAll(async () => {
  kernel = await stockKernel();
  disks = await btrfsMirror(await buildProbe());
  initrd = await rdinitImage({ name: "btrfs", kernel, drivers: ["virtio_pci", "virtio_blk", "btrfs"] });
}, 150_000);

test(
  "both disks are there",
  async () => {
    const machine = await bootRdinit("btrfs-both", {
      kernel: kernel.vmlinuz,
      append: ROOT,
      disks: disks.map((file) => ({ file })),
      initrd,
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("btrfs");
    expect(listing.get("processes.others")).toBe("0");
    // Two disks with one UUID are no ambiguity here.
    expect(said(machine).filter((line) => /too;|waiting/.test(line))).toEqual([]);
  },
  TEST_MS,
);

test(
  "the second comes late: it is waited for, with a word about what there is",
  async () => {
    const machine = await bootRdinit("btrfs-late", {
      kernel: kernel.vmlinuz,
      append: ROOT,
      disks: [{ file: disks[0] }],
      hotplug: ["virtio-blk"],
      initrd,
    });
    await machine.console.expect(
      `rdinit: waiting for the rest of its devices: ${HALF}; there is `,
      MACHINE_MS,
    );
    await machine.plugDisk({ file: disks[1] });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("btrfs");
    expect(listing.get("mount./.super")).not.toContain("degraded");
  },
  TEST_MS,
);

test(
  "the second never comes: a sentence, and no root that lost half of its copies unasked",
  async () => {
    const machine = await bootRdinit("btrfs-missing", {
      kernel: kernel.vmlinuz,
      append: `${ROOT} rd.timeout=2 panic=-1`,
      disks: [{ file: disks[0] }],
      initrd,
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      `T${HALF.slice(1)}, and the others did not appear. Plug them in, or add "degraded" to its mount options ` +
        "(rootflags=degraded) to start without them.",
    ]);
  },
  TEST_MS,
);

test(
  "rootflags=degraded does without it, after the wait, and says so",
  async () => {
    const machine = await bootRdinit("btrfs-degraded", {
      kernel: kernel.vmlinuz,
      append: `${ROOT} rd.timeout=2 rootflags=degraded`,
      disks: [{ file: disks[0] }],
      initrd,
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.super")).toContain("degraded");
    expectSaid(machine, [`${HALF}; it is mounted degraded, as its options say.`]);
  },
  TEST_MS,
);

test(
  "over two encrypted disks: one passphrase opens both, and the second is waited for",
  async () => {
    const files = await btrfsMirror(await buildProbe(), { encrypted: true });
    const machine = await bootRdinit("btrfs-luks", {
      kernel: kernel.vmlinuz,
      append: ROOT,
      disks: files.map((file) => ({ file })),
      memory_mb: 1024,
      timeout_ms: 120_000,
      initrd: await rdinitImage({
        name: "btrfs-luks",
        kernel,
        drivers: ["virtio_pci", "virtio_blk", "btrfs"],
        tools: ["cryptsetup"],
      }),
    });
    await machine.console.expect(/Passphrase for .*: /, MACHINE_MS);
    machine.console.send(`${MIRROR_PASSPHRASE}\n`);
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("btrfs");
    expect(listing.get("mount./.source")).toStartWith("/dev/");
    expect(listing.get("mount./.super")).not.toContain("degraded");
    expect(machine.console.text.match(/Passphrase for/g)).toHaveLength(1);
  },
  TEST_MS * 3,
);
