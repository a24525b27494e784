import { describe, expect, test } from "bun:test";
import {
  linksOf,
  listDmDevices,
  mountSource,
  publishDmDevices,
  recordOf,
  snapshotNames,
} from "../../../../src/boot/storage/dm-nodes.ts";
import { diskWith } from "../../../fixtures/disks-in-memory.ts";
import { device, fakeKernel, file, symlink, type Tree } from "../../../../syscalls/fake.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, readText } from "../../../../syscalls/index.ts";

const LV = `LVM-${"a".repeat(64)}`;
const PRIMARY = "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\n";

interface Shape {
  readonly name: string;
  readonly uuid?: string;
  readonly suspended?: string;
  readonly size?: string;
}

function machine(shapes: readonly Shape[], more: { dev?: Tree; run?: Tree } = {}) {
  const block = shapes.map(({ name, uuid = LV, suspended = "0", size = "8192" }, at) => [
    `dm-${at}`,
    {
      dev: `253:${at}\n`,
      size: `${size}\n`,
      dm: { name: `${name}\n`, uuid: `${uuid}\n`, suspended: `${suspended}\n` },
    },
  ]);
  return fakeKernel({
    rootfs: {
      sys: { class: { block: { sda: { dev: "8:0\n" }, ...Object.fromEntries(block) } } },
      dev: { mapper: { control: device("char", "10:236") }, ...more.dev },
      run: { ...more.run },
    },
  });
}

describe("links and records", () => {
  test("of a logical volume, in place of the node that lvm made", () => {
    const kernel = machine([{ name: "vg--a-lv--b" }], {
      dev: { mapper: { "vg--a-lv--b": device("block", "253:0") } },
    });
    expect(publishDmDevices(kernel.sys)).toEqual([]);
    expect(kernel.sys.readlink("/dev/mapper/vg--a-lv--b")).toBe("../dm-0");
    expect(kernel.sys.readlink("/dev/vg-a/lv-b")).toBe("../dm-0");
    expect(readText(kernel.sys, "/run/udev/data/b253:0")).toBe(PRIMARY);
    expect(kernel.files().filter((path) => path.includes(".rdinit"))).toEqual([]);
  });

  test("a second time changes nothing", () => {
    const { sys, calls } = machine([{ name: "vg-lv" }, { name: "clear", uuid: "CRYPT-LUKS2-1234-clear" }]);
    publishDmDevices(sys);
    const before = calls.length;
    publishDmDevices(sys);
    const changing = new Set(["symlink", "rename", "unlinkat", "write", "mkdir"]);
    expect(calls.slice(before).filter(({ name }) => changing.has(name))).toEqual([]);
    expect(sys.readlink("/dev/mapper/clear")).toBe("../dm-1");
  });

  test("a link that leads elsewhere is made anew", () => {
    const { sys } = machine([{ name: "vg-lv" }], {
      dev: { mapper: { "vg-lv": symlink("../dm-7") }, vg: { lv: symlink("/dev/mapper/vg-lv") } },
    });
    publishDmDevices(sys);
    expect(sys.readlink("/dev/mapper/vg-lv")).toBe("../dm-0");
    expect(sys.readlink("/dev/vg/lv")).toBe("../dm-0");
  });

  test("what is not finished, or not ours, has none", () => {
    const { sys } = machine([
      { name: "vg-suspended", suspended: "1" },
      { name: "vg-empty", size: "0" },
      { name: "mpatha", uuid: "mpath-3600" },
      { name: "made-by-hand", uuid: "" },
    ]);
    expect(publishDmDevices(sys)).toEqual([]);
    for (const path of ["/dev/vg", "/dev/mapper/mpatha", "/dev/mapper/made-by-hand", "/run/udev"])
      expect(() => sys.stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)).toThrow("ENOENT");
  });

  test("a record of udevd is left as it is", () => {
    const record = "I:4711\nE:DM_UDEV_PRIMARY_SOURCE_FLAG=1\nE:ID_FS_TYPE=ext4\n";
    const { sys } = machine([{ name: "vg-lv" }], { run: { udev: { data: { "b253:0": file(record) } } } });
    publishDmDevices(sys);
    expect(readText(sys, "/run/udev/data/b253:0")).toBe(record);
  });

  test("what the kernel refuses is a sentence, and the others have theirs", () => {
    const { sys } = machine([{ name: "disk-lv" }, { name: "vg-lv" }], { dev: { disk: file("in the way") } });
    expect(publishDmDevices(sys)).toEqual([
      expect.stringMatching(/^The names of disk-lv \(dm-0\) can't be made: /),
    ]);
    expect(sys.readlink("/dev/vg/lv")).toBe("../dm-1");
  });

  test("without sysfs there is nothing to do", () => {
    expect(publishDmDevices(fakeKernel({}).sys)).toEqual([]);
  });
});

test("a volume is mounted by its name, also before its tool has ended; what is none of dm by its node", () => {
  const { sys } = machine([{ name: "vg--a-lv--b" }]);
  const volume = { ...diskWith("dm-0", "253:0", undefined), dmName: "vg--a-lv--b" };
  expect(mountSource(sys, volume)).toBe("/dev/mapper/vg--a-lv--b");
  expect(mountSource(sys, { ...volume, name: "dm-7", node: "/dev/dm-7" })).toBe("/dev/dm-7");
  expect(mountSource(sys, diskWith("sda", "8:0", undefined))).toBe("/dev/sda");
});

describe("the parts of a volume", () => {
  const hidden =
    PRIMARY +
    "E:DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG=1\n" +
    "E:DM_UDEV_DISABLE_DISK_RULES_FLAG=1\n" +
    "E:DM_UDEV_DISABLE_OTHER_RULES_FLAG=1\n";
  for (const [name, uuid, isPart] of [
    ["vg-lv", LV, false],
    ["vg-lv_rimage_0", LV, true],
    ["vg-lv_rmeta_11", LV, true],
    ["vg-lv_mimage_1", LV, true],
    ["vg-pvmove0", LV, true],
    ["vg-pool_tdata", `${LV}-tdata`, true],
    ["vg-pool-tpool", `${LV}-tpool`, true],
    ["vg-origin-real", `${LV}-real`, true],
    ["vg-before-cow", `${LV}-cow`, true],
    ["vg-data--real", LV, false],
    ["vg-my_data", LV, false],
    ["luks_rimage_0", "CRYPT-LUKS2-12-x", false],
  ] as const)
    test(`${name}: ${isPart ? "hidden" : "for all to see"}`, () => {
      const dm = { kernelName: "dm-0", rdev: "253:0", name, uuid, live: true };
      expect(recordOf(dm)).toBe(isPart ? hidden : PRIMARY);
      expect(linksOf(dm).length).toBe(isPart || uuid !== LV ? 1 : 2);
    });

  test("a volume with a store of differences is a snapshot", () => {
    const other = `LVM-${"b".repeat(64)}`;
    const { sys } = machine([
      { name: "vg-before", uuid: other },
      { name: "vg-before-cow", uuid: `${other}-cow` },
      { name: "vg-origin" },
      { name: "vg-origin-real", uuid: `${LV}-real` },
    ]);
    expect([...snapshotNames(listDmDevices(sys))]).toEqual(["dm-0"]);
  });
});
