import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline.ts";
import { readOptions } from "../../../src/boot/options.ts";
import { chooseRoot } from "../../../src/boot/root.ts";

const complaintsOf = (line: string) => readOptions(parseCommandLine(line)).complaints;

const UUID = "ab6d7d78-b816-4495-928d-766d6607035e";

/** What was written for another early userspace, and what rdinit's sentence tells to write. */
const WORDS: readonly (readonly [word: string, instead: string])[] = [
  [`cryptdevice=UUID=${UUID}:root`, `write rd.luks.name=${UUID}=root.`],
  [
    `cryptdevice=/dev/disk/by-uuid/${UUID}:root:allow-discards`,
    `write rd.luks.name=${UUID}=root rd.luks.options=discard.`,
  ],
  [
    "cryptdevice=/dev/sda2:crypt",
    "write rd.luks.name=UUID=crypt, UUID being what 'cryptsetup luksUUID /dev/sda2' says.",
  ],
  ["cryptdevice=", "write rd.luks.name=UUID=NAME"],
  ["cryptkey=rootfs:/key.bin", "write rd.luks.key=/key.bin."],
  ["cryptkey=/dev/sdb1:vfat:/secret.key", "write rd.luks.key=/secret.key:/dev/sdb1."],
  [
    "cryptkey=/dev/sdb:0:512",
    "write rd.luks.key=/dev/sdb rd.luks.options=keyfile-offset=0,keyfile-size=512.",
  ],
  [
    `cryptopts=target=sys,source=UUID=${UUID},lvm=vg-root,discard`,
    `write rd.luks.name=${UUID}=sys rd.luks.options=discard.`,
  ],
  ["break", "write rd.break."],
  ["break=premount", "write rd.break=pre-mount."],
  ["break=bottom", "write rd.break=pre-pivot."],
  ["blacklist=a,b", "write modprobe.blacklist=a,b."],
  ["earlymodules=xfs,loop", "write rd.driver.pre=xfs,loop."],
  ["rd.modules_force_load=xfs", "write rd.driver.pre=xfs."],
  ["rd.modules-load=xfs", "write rd.driver.pre=xfs."],
  ["fsckfix", "write fsck.repair=yes."],
  ["boot=casper", "write root=live:DEVICE."],
  ["boot=nfs", "write root=/dev/nfs."],
  ["rd.systemd.unit=emergency.target", "write rd.break, which starts a shell before the hand-over."],
  ["rd.systemd.pull=raw:x:http://a/b", "put the image on a disk, and write root=live:DEVICE."],
];

describe("a word to another early userspace is told what to write in its place", () => {
  for (const [word, instead] of WORDS)
    test(word, () => {
      const complaints = complaintsOf(`${word} ro`);
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toStartWith(`${word} on the command line is ignored: it is for `);
      expect(complaints[0]).toContain(`For rdinit ${instead}`);
    });
});

test("what speaks to programs that are not there, or asks for nothing, is no reason to complain", () => {
  for (const word of [
    ...["rd.udev.log_level=3", "rd.systemd.show_status=auto", "rd.plymouth=0", "rd.systemd.unit=x.target"],
    ...["boot=local", "boot=/dev/sda1", "blacklist=", "systemd.unit=rescue.target", "constructor=1"],
  ])
    expect([word, complaintsOf(word)]).toEqual([word, []]);
  expect(complaintsOf("rd.udevil=1")).toHaveLength(1);
});

describe("a root= of another early userspace says what it is", () => {
  for (const [root, clause] of [
    [
      "http://192.0.2.1/root.squashfs",
      "rdinit fetches no image from a server; put it on a disk, root=live:DEVICE",
    ],
    ["bind:/run/machines/root", "rdinit takes no directory of its own image as the root"],
    ["gpt-auto", "looks for no root by the type of its partition; write root=PARTUUID=…"],
    ["ZFS=rpool/ROOT", "does not import pools of ZFS itself; a hook of mount can"],
    ["zfs:AUTO", "does not import pools of ZFS itself"],
    ["HWPATH=pci-0000:00:04.0-scsi-2:0:0:0", "it is a link, root=/dev/disk/by-path/…"],
    ["WWID=scsi-QEMU_QEMU_HARDDISK_-0:0", "it is a link, root=/dev/disk/by-id/…"],
    ["tmpfs", "name no root, and put /sbin/init into the image"],
    ["ubi0:rootfs", "mounts no flash memory itself"],
    ["mtd2", "mounts no flash memory itself"],
    [`'UUID=${UUID}'`, 'the kernel knows no quotes but "'],
  ] as const)
    test(root, () => {
      expect(() => chooseRoot(root, false)).toThrow(`root=${root} can't be mounted: `);
      expect(() => chooseRoot(root, false)).toThrow(clause);
      // Hooks may know it.
      expect(chooseRoot(root, true)).toBe("left to hooks");
    });
  test("and a device by any other name is looked for", () => {
    for (const root of ["/dev/mtdblock0", "LABEL=ZFS=x", "LABEL=tmpfs", "PARTLABEL=mtd2"])
      expect(chooseRoot(root, false)).toBeObject();
  });
});
