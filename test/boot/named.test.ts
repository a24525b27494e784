/** What the command line names besides the root is waited for, and what comes of it when it does not appear. */

import { beforeAll, expect, test } from "bun:test";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { LUKS, twoLuks } from "../../qemu/storage/luks.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { LOOK, MAKE_MS, answer, lookedAt } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const image = { tools: ["cryptsetup", "lvm", "mdadm"], shell: true, files: [LOOK] };
let encrypted: string;

beforeAll(async () => {
  [, encrypted = ""] = await makeDisksInGuest(twoLuks(await probeRoot()));
}, MAKE_MS);

async function boot(name: string, append: string) {
  return bootRdinit(`named-${name}`, {
    append: `root=UUID=${ROOT_UUID} panic=-1 ${append}`,
    disks: [{ file: await probeDisk(temporaryDirectory()) }],
    hotplug: ["virtio-blk"],
    image,
  });
}

test(
  "an encrypted volume that is not the root's, on a disk that comes late",
  async () => {
    const machine = await boot("luks", `rd.luks.name=${LUKS.other}=second`);
    await machine.console.expect(/waiting for LUKS 7a1b2c3d/, MACHINE_MS);
    await machine.plugDisk({ file: encrypted });
    expect(await answer(machine, LUKS.passphrase)).toBe("vdb (second)");
    await probed(machine);
    expect(lookedAt(machine)).toContain("10-look: mapped: control second");
  },
  TEST_MS,
);

test(
  "a logical volume that does not come is told, and the boot goes on",
  async () => {
    const machine = await boot("lvm", `rd.lvm.lv=${STORAGE.group}/swap rd.timeout=3`);
    await probed(machine);
    expectSaid(machine, [
      `No physical volume of the volume group ${STORAGE.group} is there.`,
      `logical volume ${STORAGE.group}/swap did not appear; the boot goes on, as the root is there.`,
    ]);
  },
  TEST_MS,
);

test(
  "an array that does not come stops the boot",
  async () => {
    const machine = await boot("array", `rd.md.uuid=${STORAGE.array} rd.timeout=3 rd.shell=0`);
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      `array ${STORAGE.array}, which rd.md.uuid= names, has no member here.`,
      new RegExp(`^The root is there, but not what else is required: array ${STORAGE.array}\\.`),
    ]);
  },
  TEST_MS,
);

test(
  "unless it is optional",
  async () => {
    const machine = await boot("optional", `rd.md.uuid=${STORAGE.array} rd.md.optional=${STORAGE.array}`);
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
  },
  TEST_MS,
);
