/** Stacks of arrays, volumes and encryption by command lines that were written for dracut, with keys in the image. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { NESTED, lvmOnLuksOnRaid5, lvmOnRaid1OnTwoLuks } from "../../qemu/storage/nested.ts";
import { imageFile } from "../fixtures/encrypted-boot.ts";

const VOLUME = `/dev/mapper/${STORAGE.group}-${STORAGE.volume.replaceAll("-", "--")}`;
const ROOT = `root=/dev/${STORAGE.group}/${STORAGE.volume}`;
let above: string[];
let below: string[];
let initrd: string;

beforeAll(async () => {
  const tree = await probeRoot();
  above = await makeDisksInGuest(lvmOnLuksOnRaid5(tree));
  below = await makeDisksInGuest(lvmOnRaid1OnTwoLuks(tree));
  const table = [STORAGE.luks, NESTED.second_luks].map(
    (uuid) => `luks-${uuid} UUID=${uuid} /etc/key timeout=0\n`,
  );
  initrd = await rdinitImage({
    name: "dracut-storage",
    tools: ["mdadm", "lvm", "cryptsetup"],
    files: [imageFile("/etc/crypttab", table.join("")), imageFile("/etc/key", STORAGE.passphrase, 0o400)],
  });
}, 5 * MACHINE_MS);

async function boot(name: string, append: string, files: readonly string[]) {
  return bootRdinit(`dracut-storage-${name}`, {
    append: `${append} ro rd.shell=0 panic=-1`,
    disks: files.map((file) => ({ file })),
    initrd,
  });
}

/** What boots, and what it says of it. */
const boots: readonly {
  readonly name: string;
  readonly line: string;
  readonly files: () => readonly string[];
  readonly says: readonly RegExp[];
}[] = [
  {
    name: "degraded",
    line: "rd.auto=1 rd.retry=6",
    files: () => above.slice(1),
    says: [/runs degraded, with 2 of 3 members \(vda and vdb\): no other came within 4 s\./],
  },
  {
    name: "group",
    line: `rd.luks.uuid=${STORAGE.luks} rd.md.uuid=${STORAGE.array} rd.md.conf=0 rd.lvm.vg=${STORAGE.group}`,
    files: () => above,
    says: [],
  },
  {
    name: "volume",
    line: `rd_LUKS_UUID=luks-${STORAGE.luks} rd_MD_UUID=${STORAGE.array} rd_LVM_LV=${STORAGE.group}/${STORAGE.volume}`,
    files: () => above,
    says: [/^rd_LVM_LV= counts as rd\.lvm\.lv=, which is its name now\.$/],
  },
  {
    name: "array-on-luks",
    line: `rd.auto rootwait rd.luks.uuid=luks-${STORAGE.luks} rd.luks.uuid=luks-${NESTED.second_luks}`,
    files: () => below,
    says: [],
  },
];

for (const { name, line, files, says } of boots)
  test(
    `${name}: ${line}`,
    async () => {
      const machine = await boot(name, `${ROOT} ${line}`, files());
      const listing = await probed(machine);
      expect(listing.get("mount./.source")).toBe(VOLUME);
      expectSaid(machine, says);
      expect(said(machine).filter((words) => words.includes(" is ignored: "))).toEqual([]);
    },
    TEST_MS,
  );

/** What does not, as the root needs what the command line forbids, or leaves out. */
const stops: readonly { readonly name: string; readonly line: string; readonly says: RegExp }[] = [
  { name: "no-lvm", line: "rd.auto=1 rd.lvm=0", says: /^\/dev\/dm-0 is left alone, as rd\.lvm=0 says\.$/ },
  { name: "no-luks", line: "rd.auto=1 rd.luks=0", says: /rd\.luks=0/ },
  { name: "other-group", line: "rd.lvm.vg=failme", says: /^No physical volume of the volume group failme/ },
  {
    name: "other-volume",
    line: `rd.lvm.lv=${STORAGE.group}/failme`,
    says: /has no logical volume failme; it has boot-root\.$/,
  },
  {
    name: "other-array",
    line: `rd.md.uuid=${"11111111:".repeat(3)}22222222`,
    says: /is left alone: rd\.md\.uuid= names others only\.$/,
  },
];

for (const { name, line, says } of stops)
  test(
    `${name}: ${line} keeps the root away, and says so`,
    async () => {
      // By its volume's name the root would be named as well.
      const machine = await boot(name, `root=UUID=${STORAGE.filesystem} ${line} rd.timeout=6`, above);
      await machine.expectEnd("rebooted");
      expectSaid(machine, [says, `The root UUID=${STORAGE.filesystem} did not appear.`]);
    },
    TEST_MS,
  );
