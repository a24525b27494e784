import { describe, expect, test } from "bun:test";
import { readParameters } from "../../../../src/boot/cmdline/packed.ts";
import { chooseRoot } from "../../../../src/boot/root.ts";

const read = (line: string) => readParameters(line, undefined);

const UUID = "ab6d7d78-b816-4495-928d-766d6607035e";

describe("a word to another early userspace counts as one of rdinit's", () => {
  for (const [foreign, ours] of [
    [`cryptdevice=UUID=${UUID}:root`, `rd.luks.name=${UUID}=root`],
    [
      `cryptdevice=/dev/disk/by-uuid/${UUID}:root:allow-discards`,
      `rd.luks.name=${UUID}=root rd.luks.allow-discards=${UUID}`,
    ],
    ["cryptkey=rootfs:/key.bin", "rd.luks.key=/key.bin"],
    ["cryptkey=UUID=ab-cd:vfat:/secret.key", "rd.luks.key=/secret.key:UUID=ab-cd"],
    ["cryptkey=/dev/sdb:0:512", "rd.luks.key=/dev/sdb rd.luks.options=keyfile-offset=0,keyfile-size=512"],
    [
      `cryptopts=target=sys,source=UUID=${UUID},lvm=vg-root,discard`,
      `rd.luks.name=${UUID}=sys rd.luks.allow-discards=${UUID}`,
    ],
    [`crypt_root=UUID=${UUID}`, `rd.luks.name=${UUID}=root`],
    ["real_root=LABEL=gentoo", "rd.root=LABEL=gentoo"],
    ["break", "rd.break=pre-mount"],
    ["break=y", "rd.break=pre-mount"],
    [
      "break=top,mountroot,bottom,init",
      "rd.break=cmdline rd.break=mount rd.break=pre-pivot rd.break=cleanup",
    ],
    ["break=mount,mountroot", "rd.break=mount"],
    ["break=premount", "rd.break=pre-mount"],
    ["break=bottom", "rd.break=pre-pivot"],
    ["blacklist=a,b", "modprobe.blacklist=a,b"],
    ["earlymodules=xfs,loop", "rd.driver.pre=xfs,loop"],
    ["rd.modules_force_load=xfs", "rd.driver.pre=xfs"],
    ["rd.modules-load=xfs", "rd.driver.pre=xfs"],
    ["fsckfix", "fsck.repair=yes"],
    ["overlayroot=tmpfs:recurse=0", "rd.overlay=1"],
    ["overlaytmpfs", "rd.overlay=1"],
    ["systemd.volatile=overlay", "rd.overlay=1"],
    ["rd.systemd.unit=emergency.target", "rd.break"],
  ] as const)
    test(foreign, () => {
      const { words, options, complaints } = read(`ro ${foreign} quiet`);
      const same = read(`ro ${ours} quiet`);
      expect(same.complaints).toEqual([]);
      expect([words, options]).toEqual([same.words, same.options]);
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toStartWith(`${foreign} is for `);
      expect(complaints[0]).toEndWith(`, and counts as ${ours}.`);
    });
  test("Alpine's in two", () => {
    const { words, complaints } = read(`cryptroot=UUID=${UUID} cryptdm=root`);
    expect(words[0]).toEqual({ name: "rd.luks.name", value: `${UUID}=root` });
    expect(complaints).toHaveLength(1);
  });
});

describe("what has no counterpart is told what to write in its place", () => {
  for (const [foreign, instead] of [
    ["cryptdevice=/dev/sda2:crypt", "Write rd.luks.name=UUID=NAME"],
    ["cryptdevice=", "Write rd.luks.name=UUID=NAME"],
    [`cryptroot=UUID=${UUID}`, "Write rd.luks.name=UUID=NAME"],
    ["cryptkey=/key", "Write rd.luks.key=PATH:DEVICE."],
    ["boot=casper", "Write root=live:DEVICE."],
    ["boot=nfs", "Write root=/dev/nfs."],
    ["overlayroot=/dev/sdb", "Write rd.overlay=DEVICE"],
    ["systemd.volatile=yes", "Write systemd.volatile=overlay"],
    ["rd.systemd.mount-extra=/dev/sdb:/x", "Give the mount a line in fstab."],
    ["roothash=0123", "rdinit verifies no root"],
  ] as const)
    test(foreign, () => {
      const { complaints } = read(foreign);
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toStartWith(`${foreign} on the command line is ignored: it is for `);
      expect(complaints[0]).toContain(`. ${instead}`);
    });
});

test("what speaks to programs that are not there, or asks for nothing, is no reason to complain", () => {
  for (const word of [
    ...["rd.udev.log_level=3", "rd.systemd.show_status=auto", "rd.plymouth=0", "rd.systemd.unit=x.target"],
    ...["boot=local", "boot=/dev/sda1", "blacklist=", "systemd.unit=rescue.target", "constructor=1"],
    ...["overlayroot=disabled", "systemd.volatile=state", "cryptdm=root"],
  ])
    expect([word, read(word).complaints]).toEqual([word, []]);
  expect(read("rd.udevil=1").complaints).toHaveLength(1);
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
