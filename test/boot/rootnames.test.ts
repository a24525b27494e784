/** Every way to name the root, on one machine with a GPT disk, a disk with an MBR, and a third without a table. */

import { beforeAll, expect, test } from "bun:test";
import { run } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import type { MachineOptions } from "../../qemu/machine.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let machine: Pick<MachineOptions, "disks" | "initrd">;

/** The disks: their names in the guest, and what tells them apart. */
const GPT = {
  table: "gpt",
  disk_id: "11111111-2222-4333-8444-555555555550",
  uuid: "1A1A1A1A-2222-4333-8444-555555555555",
  name: "the root é",
  number: 3,
} as const;
const MBR = { table: "dos", disk_id: "deadbeef", number: 1 } as const;
const IDS = {
  vda3: "aaaa4d0e-0c5f-4a55-9d2e-51c7e0b7a003",
  vdb1: "bbbb4d0e-0c5f-4a55-9d2e-51c7e0b7a001",
  vdc: "cccc4d0e-0c5f-4a55-9d2e-51c7e0b7a000",
};

beforeAll(async () => {
  const part = { label: "my röot", partition: GPT };
  machine = {
    disks: [
      { file: await probeDisk(dir, { file: "gpt", uuid: IDS.vda3, ...part }), serial: "the disk#1" },
      { file: await probeDisk(dir, { file: "mbr", uuid: IDS.vdb1, label: "b/1", partition: MBR }) },
      { file: await probeDisk(dir, { file: "bare", uuid: IDS.vdc }) },
    ],
    initrd: await rdinitImage({ name: "rootnames" }),
  };
}, MACHINE_MS);

/** What `root=` says, as a person types it, and the device that it means. */
const names: readonly (readonly [root: string, device: string])[] = [
  ["/dev/vda3", "vda3"],
  ["/dev/vdc", "vdc"],
  ['"LABEL=my röot"', "vda3"],
  ["LABEL=b/1", "vdb1"],
  [`UUID=${IDS.vdb1.toUpperCase()}`, "vdb1"],
  [`PARTUUID=${GPT.uuid.toLowerCase()}`, "vda3"],
  ["PARTUUID=DEADBEEF-01", "vdb1"],
  ['"PARTLABEL=the root é"', "vda3"],
  ["253:3", "vda3"],
  ["fd20", "vdc"],
  [`/dev/disk/by-uuid/${IDS.vdc}`, "vdc"],
  ["/dev/disk/by-label/my\\x20röot", "vda3"],
  ["/dev/disk/by-label/b\\x2f1", "vdb1"],
  ["/dev/disk/by-partuuid/deadbeef-01", "vdb1"],
  ["/dev/disk/by-partlabel/the\\x20root\\x20é", "vda3"],
  ["/dev/disk/by-id/virtio-the_disk#1-part3", "vda3"],
  ["ID=virtio-the_disk#1-part3 rootfstype=auto", "vda3"],
  ["/dev/disk/by-path/pci-0000:00:02.0-part1", "vdb1"],
  ["/dev/disk/by-path/virtio-pci-0000:00:03.0", "vdc"],
];

for (const [index, [root, device]] of names.entries())
  test(
    `root=${root}`,
    async () => {
      const listing = await probed(
        await bootRdinit(`rootnames-${index}`, { append: `root=${root} quiet`, ...machine }),
      );
      expect(listing.get("mount./.source")).toBe(`/dev/${device}`);
    },
    TEST_MS,
  );

test(
  "PARTUUID=…/PARTNROFF= counts from another partition",
  async () => {
    const file = await probeDisk(dir, { file: "two", uuid: IDS.vda3, partition: { ...GPT, number: 2 } });
    // The partition to count from comes first and is empty.
    await run(["sfdisk", "-q", "--no-reread", "--append", file], {
      stdin: "1 : start=17MiB, size=512KiB, uuid=22222222-2222-4333-8444-555555555555\n",
    });
    const started = await bootRdinit("rootnames-partnroff", {
      append: "root=PARTUUID=22222222-2222-4333-8444-555555555555/PARTNROFF=1 quiet",
      initrd: machine.initrd ?? "",
      disks: [{ file }],
    });
    expect((await probed(started)).get("mount./.source")).toBe("/dev/vda2");
  },
  TEST_MS,
);

test(
  "two devices of one name: the first is taken, and the other named",
  async () => {
    const started = await bootRdinit("rootnames-twice", {
      append: `root=UUID=${IDS.vdc}`,
      initrd: machine.initrd ?? "",
      disks: [2, 2].flatMap((at) => machine.disks?.[at] ?? []),
    });
    expect((await probed(started)).get("mount./.source")).toBe("/dev/vda");
    expectSaid(started, [`UUID=${IDS.vdc} is on /dev/vdb too; /dev/vda is taken.`]);
  },
  TEST_MS,
);
