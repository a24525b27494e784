/** Arrays, volume groups and encryption stacked on each other: the root comes up, whatever stands on what. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { type MakerRecipe, makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, probed } from "../../qemu/scenario.ts";
import { NESTED, luksOnLvmOnTwoLuks, lvmOnLuksOnRaid5 } from "../../qemu/storage/nested.ts";
import { STORAGE, raid1Lvm, raid1LvmLuks } from "../../qemu/storage/basic.ts";
import type { Tree } from "../../qemu/tree.ts";

const MAKE_MS = 150_000;
let tree: Tree;
let initrd: string;

beforeAll(async () => {
  tree = await probeRoot();
  initrd = await rdinitImage({ name: "nested", tools: ["mdadm", "lvm", "cryptsetup"] });
}, MAKE_MS);

interface Case {
  readonly recipe: (tree: Tree) => MakerRecipe;
  readonly append: string;
  /** What the root is on, as mount(8) would name it. */
  readonly source: string;
  /** How often the passphrase is asked for: once, as one that was typed is tried on all. */
  readonly asked: number;
}

const VOLUME = `/dev/mapper/${STORAGE.group}-${STORAGE.volume.replaceAll("-", "--")}`;
const BY_UUID = `root=UUID=${STORAGE.filesystem}`;

const CASES: Readonly<Record<string, Case>> = {
  "ext4 on LVM on RAID1": {
    recipe: raid1Lvm,
    append: BY_UUID,
    source: VOLUME,
    asked: 0,
  },
  "ext4 on LVM on RAID1, by the volume's name": {
    recipe: raid1Lvm,
    append: `root=/dev/${STORAGE.group}/${STORAGE.volume}`,
    source: VOLUME,
    asked: 0,
  },
  "ext4 on LUKS on LVM on RAID1": {
    recipe: raid1LvmLuks,
    append: BY_UUID,
    source: `/dev/mapper/luks-${STORAGE.luks}`,
    asked: 1,
  },
  "ext4 on LVM on LUKS on RAID5": {
    recipe: lvmOnLuksOnRaid5,
    append: BY_UUID,
    source: VOLUME,
    asked: 1,
  },
  "ext4 on LUKS on LVM on two LUKS": {
    recipe: luksOnLvmOnTwoLuks,
    append: BY_UUID,
    source: `/dev/mapper/luks-${NESTED.inner_luks}`,
    asked: 1,
  },
};

for (const [name, { recipe, append, source, asked }] of Object.entries(CASES))
  test(
    name,
    async () => {
      const files = await makeDisksInGuest(recipe(tree));
      const machine = await bootRdinit(`nested-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`, {
        append,
        disks: files.map((file) => ({ file })),
        initrd,
      });
      for (let count = 0; count < asked; count++) {
        await machine.console.expect(/Passphrase for .*: /, MACHINE_MS);
        machine.console.send(`${STORAGE.passphrase}\n`);
      }
      const listing = await probed(machine);
      expect(listing.get("mount./.source")).toBe(source);
      expect(machine.console.text.match(/Passphrase for /g)?.length ?? 0).toBe(asked);
    },
    MAKE_MS + TEST_MS,
  );
