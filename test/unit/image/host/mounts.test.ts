/** Roots on several devices, on other mounts, on a network, and on nothing. */

import { describe, expect, test } from "bun:test";
import { describeLayer, examineHost } from "../../../../src/image/host/examine.ts";
import { SDA, disk, driven, loaded, machine, virtual, type Files } from "../../../fixtures/machines/fake.ts";

const host = (line: string, ...parts: Files[]) =>
  examineHost(machine(SDA, { "proc/self/mountinfo": `${line}\n` }, ...parts));

describe("mounts", () => {
  test("an overlay over a disk that is mounted", () => {
    const needs = host(
      "30 1 0:40 / / rw - overlay overlay rw,lowerdir=/media/root-ro,upperdir=/media/rw/up,workdir=/media/rw/work\n" +
        "31 30 8:0 / /media/root-ro ro - ext4 /dev/sda ro\n" +
        "32 30 0:41 / /media/rw rw - tmpfs tmpfs rw",
    );
    expect(needs.layers.map(describeLayer)).toEqual(["/ is overlay on /media/root-ro: ext4 on sda (ahci)"]);
    expect(needs.part.modulesIfThere).toEqual(expect.arrayContaining(["overlay", "ext4"]));
  });
  test("overlays that lie on each other", () => {
    const lines =
      "30 1 0:40 / / rw - overlay a rw,lowerdir=/x\n31 30 0:41 / /x rw - overlay b rw,lowerdir=/y:/z\n" +
      "32 30 8:0 / /z rw - xfs /dev/sda rw";
    expect(host(lines).layers.map(describeLayer)).toEqual([
      "/ is overlay on /x: overlay on /z (xfs) on sda (ahci)",
    ]);
  });
  test("btrfs whose root the kernel mounted itself", () => {
    const needs = host("30 1 0:20 / / rw - btrfs /dev/root rw,subvol=/@", {
      "sys/fs/btrfs/0a1b/devices/sda": "-> /sys/class/block/sda",
      "sys/fs/btrfs/features/x": "1",
    });
    expect(needs.layers.map(describeLayer)).toEqual(["/ is btrfs on sda (ahci)"]);
    expect(needs.tools).toEqual([]);
  });
  test("bcachefs on two disks, one by a link", () => {
    const needs = host("30 1 0:20 / / rw - bcachefs /dev/sda:/dev/disk/by-id/two rw", {
      ...disk("sdb", "8:16", "pci0000:00/0000:00:1f.2/ata2/host1"),
      "dev/disk/by-id/two": "-> ../../sdb",
      "dev/sdb": "",
    });
    expect(needs.layers.map(describeLayer)).toEqual(["/ is bcachefs on sda, sdb (ahci)"]);
  });
  test("a log on another disk", () => {
    const needs = host("30 1 8:0 / / rw - xfs /dev/sda rw,logdev=/dev/mapper/log,noquota", {
      ...virtual("dm-4", "253:4", [], { "dm/name": "log\n", "dm/uuid": "CRYPT-PLAIN-log\n" }),
      "dev/mapper/log": "",
    });
    expect(needs.layers.map(describeLayer)).toEqual(["/ is xfs on sda (ahci) and log (dm-crypt)"]);
  });
  test("NFS takes the network cards", () => {
    const needs = host("30 1 0:20 / / rw - nfs4 server:/root rw,addr=10.0.0.1", {
      "sys/class/net/eth0/device": "-> /sys/devices/pci0000:00/0000:00:19.0",
      "sys/class/net/lo/mtu": "65536\n",
      ...driven("pci0000:00/0000:00:19.0", "pci", "e1000e", "e1000e"),
      ...loaded("nfs"),
    });
    expect(needs.part.modules).toEqual(["nfs", "e1000e"]);
    expect(needs.part.modulesIfThere).toEqual(["fs-nfs4", "nfsv4"]);
    expect(needs.part.notes).toEqual(["/ is nfs4 from server:/root: the network must be up before it."]);
  });
  test("virtiofs, and 9p without virtio", () => {
    const needs = host("30 1 0:20 / / rw - virtiofs share rw", {
      "sys/bus/virtio/drivers/virtiofs/virtio2": "-> /sys/devices/pci0000:00/0000:00:07.0/virtio2",
      "sys/devices/pci0000:00/0000:00:07.0/virtio2/modalias": "virtio:d0000001Av00001AF4\n",
    });
    expect(needs.part.modulesIfThere).toEqual(["virtiofs", "fs-virtiofs", "virtio:d0000001Av00001AF4"]);
    expect(host("30 1 0:20 / / rw - 9p 10.0.0.1 rw,trans=tcp").part.notes).toHaveLength(1);
  });

  const REFUSED = [
    [
      "30 1 0:40 / / rw - overlay overlay rw,lowerdir=/var/lib/l1:/var/lib/l2",
      "root is an overlay of directories",
    ],
    ["30 1 0:40 / / rw - tmpfs none rw", "root is a tmpfs, which is in memory"],
    ["30 1 0:40 / / rw - zfs rpool/ROOT/debian rw", "root is zfs on no disk that can be seen"],
    ["30 1 8:77 / / rw - ext4 /dev/sdz rw", "root is ext4 on no disk that can be seen"],
    ["30 1 8:0 / /mnt rw - ext4 /dev/sda rw", "root is not among its mounts"],
    ["nonsense", "Nothing is to be read in"],
  ] as const;
  for (const [line, words] of REFUSED)
    test(words, () => {
      expect(() => host(line)).toThrow(words);
      expect(() => host(line)).toThrow("--host can't tell which drivers");
    });
});
