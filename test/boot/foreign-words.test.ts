/** Command lines and tables as other early userspaces have them. */

import { beforeAll, expect, test } from "bun:test";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { ROOT_UUID, TEST_MS, bootRdinit, expectSaid, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { STORAGE, plainLuks } from "../../qemu/storage/basic.ts";
import { MAKE_MS, answer } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const tools = ["cryptsetup"];
let encrypted: string;

beforeAll(async () => {
  [encrypted = ""] = await makeDisksInGuest(plainLuks(await probeRoot(), "luks2"));
}, MAKE_MS);

test(
  "mkinitcpio's cryptdevice= opens the root by the name that root= has for it",
  async () => {
    const machine = await bootRdinit("foreign-cryptdevice", {
      append: `cryptdevice=UUID=${STORAGE.luks}:cryptroot:allow-discards root=/dev/mapper/cryptroot rw`,
      disks: [{ file: encrypted }],
      image: { tools },
    });
    expect(await answer(machine, STORAGE.passphrase)).toBe("vda (cryptroot)");
    expect((await probed(machine)).get("mount./.source")).toBe("/dev/mapper/cryptroot");
    expectSaid(machine, [
      `cryptdevice=UUID=${STORAGE.luks}:cryptroot:allow-discards is for mkinitcpio, and counts as ` +
        `rd.luks.name=${STORAGE.luks}=cryptroot rd.luks.allow-discards=${STORAGE.luks}.`,
    ]);
  },
  TEST_MS,
);

test(
  "volumes of crypttab that are marked nofail hold up nothing: one that is absent, and one that is there",
  async () => {
    const absent = "11111111-2222-4333-8444-555555555555";
    const lines = [`data UUID=${STORAGE.luks} none luks,nofail`, `gone UUID=${absent} none luks,nofail`];
    const machine = await bootRdinit("foreign-nofail", {
      append: `root=UUID=${ROOT_UUID}`,
      disks: [{ file: await probeDisk(temporaryDirectory()) }, { file: encrypted }],
      image: { tools, files: [{ to: "/etc/crypttab", data: Buffer.from(`${lines.join("\n")}\n`) }] },
    });
    expect((await probed(machine)).get("mount./.source")).toBe("/dev/vda");
    expect(said(machine).filter((line) => line.includes(absent))).toEqual([]);
  },
  TEST_MS,
);
