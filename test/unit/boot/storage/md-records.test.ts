import { expect, test } from "bun:test";
import type { BlockDevice } from "../../../../src/boot/devices/blockdevice.ts";
import type { Member } from "../../../../src/boot/storage/layer.ts";
import { recordArrays } from "../../../../src/boot/storage/md-records.ts";
import { device, fakeKernel } from "../../../../syscalls/fake.ts";
import { AT_FDCWD, exists, list, readText } from "../../../../syscalls/index.ts";
import { member } from "../../../fixtures/md-members.ts";

function volume(name: string, rdev: string, partition?: BlockDevice["partition"]): Member {
  const { device: like } = member(name);
  return { device: { ...like, rdev, partition }, found: { type: "LVM2_member", usage: "raid" } };
}

test("an array that is a physical volume is noted as one that LVM's rules took up", () => {
  const { sys } = fakeKernel({ rootfs: { run: {} } });
  const part = { number: 1, name: undefined, disk: "md1" };
  const members = [
    ...[volume("md0", "9:0"), volume("md_home", "9:126"), volume("md1p1", "259:0", part)],
    ...[volume("vda", "254:0"), volume("dm-0", "253:0")],
  ];
  expect(recordArrays(sys, members)).toEqual([]);
  expect(list(sys, "/run/udev/data").map(({ name }) => name)).toEqual(["b9:0", "b9:126"]);
  expect(readText(sys, "/run/udev/data/b9:0")).toBe("E:LVM_MD_PV_ACTIVATED=1\n");
  expect(sys.stat(AT_FDCWD, "/run/udev/data/b9:0").mode & 0o7777).toBe(0o1644);
});

test("nothing is made where there is none", () => {
  const { sys } = fakeKernel({ rootfs: { run: {} } });
  expect(recordArrays(sys, [member("vda"), volume("vdb", "254:16")])).toEqual([]);
  expect(exists(sys, "/run/udev")).toBe(false);
});

test("what can't be written is a sentence", () => {
  const { sys } = fakeKernel({ rootfs: { run: { udev: device("char", "1:3") } } });
  expect(recordArrays(sys, [volume("md0", "9:0")])).toEqual([
    "udev can't be told of the volume group on md0: open /run/udev/data/b9:0: not a directory (ENOTDIR).",
  ]);
});
