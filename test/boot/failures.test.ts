/** Every way in which no root is found or no init can be started has its own sentence, and never a panic. */

import { beforeAll, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probeDisk } from "../../qemu/scenario.ts";
import { ROOT_FOLDERS } from "../../qemu/tree.ts";
import { images } from "../fixtures/superblocks/images.ts";
import { patch, sizeOf } from "../fixtures/superblocks/tools.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let initrd: string;
const UUID = "0a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a004";

interface Failure {
  readonly name: string;
  readonly append: string;
  /** The disk of the machine, a name in `dir`; none when left out. */
  readonly disk?: string;
  readonly says: readonly (string | RegExp)[];
}

const noInit = "The root filesystem holds no init that can be started:";

const failures: readonly Failure[] = [
  {
    name: "no root=, and no block device",
    append: "",
    says: [
      "The kernel command line names no root filesystem. Add root=UUID=… or another form of root= to it.",
      "The machine has no block device that the kernel knows.",
      "The image holds no rescue shell.",
    ],
  },
  {
    name: "a root that never appears",
    append: `root=UUID=${UUID.replace("0a", "0b")} rd.timeout=1`,
    disk: "partition",
    says: [
      `The root UUID=${UUID.replace("0a", "0b")} did not appear.`,
      "Block devices:",
      "  vda 18 MiB (partitioned)",
      `  vda1 16 MiB ext4 LABEL="a root é" UUID=${UUID} ` +
        'PARTUUID=11111111-2222-4333-8444-555555555555 PARTLABEL="the part"',
    ],
  },
  {
    name: "root= is no device's name",
    append: "root=nonsense rd.shell=0",
    says: [
      "root= makes no sense: nonsense is neither a path below /dev nor LABEL=, UUID=, PARTUUID= or PARTLABEL=.",
      "The rescue shell is forbidden by rd.shell=0.",
    ],
  },
  {
    name: "root= is a character device",
    append: "root=/dev/null",
    says: ["root=/dev/null is a character device, not a block device."],
  },
  {
    name: "init= that is not there",
    append: "root=/dev/vda init=/nowhere/init",
    disk: "probe",
    says: [
      `${noInit} /nowhere/init does not exist. Correct init= on the kernel command line, or leave it out.`,
    ],
  },
  {
    name: "each of the kernel's four inits broken in its own way",
    append: "root=/dev/vda",
    disk: "broken",
    says: [
      `${noInit} /sbin/init is not executable (mode 0644); ` +
        "/etc/init needs /lib64/ld-linux-x86-64.so.2, which does not exist; " +
        "/bin/init needs /opt/nowhere/sh, which does not exist; " +
        "/bin/sh is a directory, not a regular file. " +
        "Is it the right root? Name the init with init=PATH on the kernel command line.",
    ],
  },
  {
    name: "a root that forbids programs",
    append: "root=/dev/vda rootflags=noexec init=/sbin/init",
    disk: "probe",
    says: [
      `${noInit} /sbin/init may not be executed: its filesystem is mounted noexec. ` +
        "Correct init= on the kernel command line, or leave it out.",
    ],
  },
  {
    name: "a superblock with a flipped bit",
    append: `root=UUID=${UUID}`,
    disk: "damaged",
    says: [
      /^The root \/dev\/vda is not mounted: its ext4 superblock is damaged \(checksum [0-9a-f]{8}, computed [0-9a-f]{8}\)\. Repair it from another system \(fsck\), or name its type by rootfstype= to have it tried all the same\.$/,
      `  vda 16 MiB ext4 LABEL="@" UUID=${UUID} (damaged)`,
    ],
  },
  {
    name: "a damaged superblock that rootfstype= tells to mount all the same",
    append: "root=/dev/vda rootfstype=ext4,nosuchfs",
    disk: "damaged",
    says: [
      "The root /dev/vda can't be mounted as ext4: the filesystem is damaged and needs its fsck; as nosuchfs: the " +
        "kernel does not know this filesystem, and the image holds no module for it that could be loaded. " +
        "The kernel's own messages above may say more.",
    ],
  },
  {
    name: "an empty disk",
    append: "root=/dev/vda",
    disk: "zeros",
    says: [
      "  vda 8 MiB",
      /^The root \/dev\/vda can't be mounted as ext3: the kernel refuses its superblock or the mount options \(EINVAL\); as ext2: .*; as squashfs: .*/,
    ],
  },
  ...(
    [
      ["swap", "swap", "swap space"],
      ["LVM2", "LVM2_member", "an LVM physical volume"],
      ["md 1.2", "linux_raid_member", "a member of a RAID array"],
    ] as const
  ).map(([disk, type, noun]) => ({
    name: `the root is ${noun}`,
    append: "root=/dev/vda",
    disk,
    says: [`The root /dev/vda is ${noun}, not a filesystem.`, new RegExp(`^  vda 8 MiB ${type} .*UUID=`)],
  })),
];

beforeAll(async () => {
  initrd = await rdinitImage({ name: "failures" });
  await probeDisk(dir, { file: "probe" });
  await probeDisk(dir, {
    file: "partition",
    uuid: UUID,
    label: "a root é",
    partition: {
      table: "gpt",
      disk_id: "11111111-2222-4333-8444-555555555550",
      uuid: "11111111-2222-4333-8444-555555555555",
      name: "the part",
    },
  });
  await makeDisk({
    file: join(dir, "broken"),
    type: "ext4",
    size_mb: 16,
    tree: [
      ...ROOT_FOLDERS,
      { path: "/sbin/init", kind: "text", text: "#!/bin/sh\n", mode: 0o644 },
      { path: "/etc/init", kind: "file", from: "/bin/true", mode: 0o755 },
      { path: "/bin/init", kind: "text", text: "#! /opt/nowhere/sh -e\n", mode: 0o755 },
      { path: "/bin/sh", kind: "dir" },
    ],
  });
  await probeDisk(dir, { file: "damaged", uuid: UUID });
  // The volume's label, which the checksum covers.
  patch(join(dir, "damaged"), [{ offset: 1024 + 0x78, bytes: Uint8Array.of(0x40) }]);
  await Bun.write(join(dir, "zeros"), new Uint8Array(8 << 20));
  for (const kind of ["swap", "LVM2", "md 1.2"]) {
    copyFileSync(join(dir, "zeros"), join(dir, kind));
    await images[kind]?.make(join(dir, kind));
    expect(sizeOf(join(dir, kind))).toBe(8 << 20);
  }
}, MACHINE_MS);

for (const [index, { name, append, disk, says }] of failures.entries())
  test(
    name,
    async () => {
      const machine = await bootRdinit(`failures-${index}`, {
        append: `${append} panic=-1`,
        disks: disk === undefined ? [] : [{ file: join(dir, disk) }],
        initrd,
      });
      await machine.expectEnd("rebooted");
      expectSaid(machine, [...says, "Rebooting at once, as panic= asks."]);
      expect(machine.console.text).not.toContain("Kernel panic");
    },
    TEST_MS,
  );
