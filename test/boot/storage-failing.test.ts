/** Physical volumes and encrypted volumes on disks that answer reads with errors: a sentence, and never a hang. */

import { beforeAll, expect, test } from "bun:test";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed } from "../../qemu/scenario.ts";
import { rdinitImage } from "../../qemu/images.ts";
import type { Disk } from "../../qemu/devices.ts";
import { type Failing, failingDisks } from "../../qemu/storage/failing.ts";
import { LUKS, twoLuks } from "../../qemu/storage/luks.ts";
import { LVM, lvmDisks } from "../../qemu/storage/lvm.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { answer } from "../fixtures/encrypted-boot.ts";

/** Where the first metadata of a physical volume lies, the keys of a LUKS2 volume, and what is encrypted in it. */
const METADATA_SECTOR = 8;
const KEYS_SECTOR = 64;
const DATA_SECTOR = 32_768;

let raid1: string[];
let linear: string[];
let encrypted: string[];
let initrd: string;

beforeAll(async () => {
  const tree = await probeRoot();
  raid1 = await makeDisksInGuest(lvmDisks("raid1", tree));
  linear = await makeDisksInGuest(lvmDisks("linear", tree));
  encrypted = await makeDisksInGuest(twoLuks(tree));
  initrd = await rdinitImage({ name: "storage-failing", tools: ["lvm", "cryptsetup"] });
}, 4 * MACHINE_MS);

function boot(name: string, append: string, disks: readonly Disk[], failing: readonly Failing[]) {
  return bootRdinit(`failing-${name}`, {
    append: `${append} rd.shell=0 panic=-1`,
    ...{ disks, arguments: failingDisks(failing), initrd },
  });
}

test(
  "a physical volume that can't be read at all is missing",
  async () => {
    const [good = "", bad = ""] = raid1;
    const lvm = `root=/dev/${LVM.group}/${LVM.root} rd.timeout=3`;
    const stopped = await boot("pv", lvm, [{ file: good }], [{ file: bad }]);
    await stopped.expectEnd("rebooted");
    expectSaid(stopped, [
      /^waiting for the root .*; volume group vg-a has 1 of 2 physical volumes .*, vdb 80 MiB \(unreadable\)/,
      /^The volume group vg-a has 1 of 2 physical volumes; missing: 8Xqd1s/,
      `The root /dev/${LVM.group}/${LVM.root} did not appear.`,
    ]);
    const degraded = `${lvm} rd.lvm.activationmode=degraded rd.lvm.timeout=1`;
    const machine = await boot("pv-degraded", degraded, [{ file: good }], [{ file: bad }]);
    expect((await probed(machine)).get("mount./.type")).toBe("ext4");
  },
  2 * TEST_MS,
);

test(
  "a physical volume whose metadata can't be read",
  async () => {
    const [file = ""] = linear;
    const machine = await boot(
      "metadata",
      `root=UUID=${LVM.filesystem} rd.timeout=3`,
      [],
      [{ file, sector: METADATA_SECTOR }],
    );
    await machine.expectEnd("rebooted");
    expectSaid(machine, [/^Of the physical volume \/dev\/vda, .*can't be read/]);
  },
  TEST_MS,
);

test(
  "an encrypted volume that can't be read, and one whose keys can't",
  async () => {
    const [root = "", other = ""] = encrypted;
    const machine = await boot(
      "keys",
      `root=LABEL=${STORAGE.label} rd.luks.uuid=${LUKS.root} rd.luks.uuid=${LUKS.other} rd.timeout=3`,
      [],
      [{ file: root, sector: KEYS_SECTOR }, { file: other }],
    );
    await answer(machine, LUKS.passphrase);
    await machine.expectEnd("rebooted");
    const title = `vda (luks-${LUKS.root})`;
    expectSaid(machine, [
      `${title} can't be opened: cryptsetup ended with status 1 (it said: IO error while decrypting keyslot; Keyslot open failed).`,
      /LUKS 7a1b2c3d-.* is not there; there is .*, vdb 48 MiB \(unreadable\)/,
      `The root LABEL=${STORAGE.label} did not appear.`,
    ]);
  },
  TEST_MS,
);

test(
  "an encrypted volume that opens, and whose content can't be read",
  async () => {
    const [file = ""] = encrypted;
    const machine = await boot(
      "data",
      `root=LABEL=${STORAGE.label} rd.timeout=3`,
      [],
      [{ file, sector: DATA_SECTOR }],
    );
    await answer(machine, LUKS.passphrase);
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /there is dm-0 32 MiB \(luks-.*\) \(unreadable\)/,
      `The root LABEL=${STORAGE.label} did not appear.`,
    ]);
  },
  TEST_MS,
);
