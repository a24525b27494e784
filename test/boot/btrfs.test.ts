/** A root on a btrfs over two disks: all there, one late, one missing, one missing and done without. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { programPath } from "../../qemu/host.ts";
import { rdinitImage, staticBusybox } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { buildProbe } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { MIRROR_PASSPHRASE, MIRROR_UUID, btrfsMirror } from "../../qemu/storage/more.ts";
import { ROOT_FOLDERS, type Tree, libraries } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

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

/** Makes the subvolumes of the disk that it starts from, and fills them from /seed. */
const MAKER = `#!/bin/busybox sh
set -eu
for name in @root @usr; do
  /bin/btrfs -q subvolume create /$name
  /bin/busybox cp -a /seed/$name/. /$name/
done
/bin/busybox sync
echo "MAKER END"
/bin/busybox stty echo
/bin/busybox poweroff -f
`;

test(
  "subvolumes: the root by rootflags=, /usr by its fstab, and by mount.usrflags= from the root's own device",
  async () => {
    const file = join(temporaryDirectory(), "subvolumes.img");
    const tool = programPath("btrfs");
    const tree: Tree = [
      ...ROOT_FOLDERS,
      { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
      { path: "/bin/btrfs", kind: "file", from: tool, mode: 0o755 },
      ...(await libraries([tool])),
      { path: "/sbin/init", kind: "text", text: MAKER, mode: 0o755 },
      ...["dev", "proc", "run", "sys", "usr"].map(
        (name) => ({ path: `/seed/@root/${name}`, kind: "dir" }) as const,
      ),
      { path: "/seed/@root/sbin", kind: "link", target: "usr/sbin" },
      {
        path: "/seed/@root/etc/fstab",
        kind: "text",
        text: "/dev/disk/by-id/virtio-system /usr btrfs subvol=@usr,rw,noatime 0 2\n",
      },
      { path: "/seed/@usr/sbin/init", kind: "file", from: await buildProbe(), mode: 0o755 },
    ];
    await makeDisk({ file, type: "btrfs", tree, label: "system", size_mb: 128 });
    const boot = (name: string, append: string) =>
      bootRdinit(`btrfs-subvolumes-${name}`, {
        kernel: kernel.vmlinuz,
        append: `root=LABEL=system ${append} panic=-1`,
        disks: [{ file, serial: "system", snapshot: false }],
        initrd,
      });
    const maker = await boot("maker", "rw");
    await maker.console.expect("MAKER END", MACHINE_MS);
    await maker.expectEnd("powered off");

    const listed = await probed(await boot("fstab", "rootflags=subvol=@root ro"));
    expect([listed.get("mount./.root"), listed.get("mount./.options")]).toEqual(["/@root", "ro,relatime"]);
    expect([listed.get("mount./usr.root"), listed.get("mount./usr.source")]).toEqual(["/@usr", "/dev/vda"]);
    expect(listed.get("mount./usr.options")).toBe("rw,noatime");

    const named = await probed(
      await boot("named", "rootflags=subvol=@root rd.fstab=0 mount.usrflags=subvol=@usr rw"),
    );
    expect([named.get("mount./.root"), named.get("mount./usr.root")]).toEqual(["/@root", "/@usr"]);
    expect(named.get("mount./usr.options")).toBe("rw,relatime");
  },
  TEST_MS * 3,
);
