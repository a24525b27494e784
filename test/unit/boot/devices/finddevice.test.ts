import { describe, expect, test } from "bun:test";
import type { BlockDevice, Contents } from "../../../../src/boot/devices/blockdevice.ts";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import { type DeviceRef, parseDeviceRef } from "../../../../src/boot/devices/deviceref.ts";
import { findDevice } from "../../../../src/boot/devices/finddevice.ts";
import type { Partition } from "../../../../src/probe/table.ts";
import { type Tree, fakeKernel, symlink } from "../../../../syscalls/fake.ts";

interface Shape {
  readonly label?: string;
  readonly uuid?: string;
  readonly rdev?: string;
  readonly dmName?: string;
  /** The kernel's name of the partition. */
  readonly name?: string;
  readonly table?: readonly Partial<Partition>[];
  readonly problem?: string;
}

const { sys } = fakeKernel({
  rootfs: {
    sys: {
      devices: { "pci0000:00": { "0000:00:02.0": { virtio1: { block: { vda: { serial: "root" } } } } } },
      class: {
        block: {
          vda: symlink("../../devices/pci0000:00/0000:00:02.0/virtio1/block/vda"),
          "dm-0": { dev: "253:0\n", dm: { name: "vg-root\n", uuid: "LVM-a\n" } },
          "dm-1": { dev: "253:1\n", dm: { name: "vg--a-lv--b\n", uuid: "LVM-b\n" } },
          "dm-2": { dev: "253:2\n", dm: { name: "cr-root\n", uuid: "CRYPT-LUKS2-12-cr-root\n" } },
        },
      },
    },
  },
});

/** Devices as they were described, without a kernel behind them; "vda1" is a partition of "vda". */
class Described extends BlockDevices {
  private readonly list: readonly BlockDevice[];

  constructor(shapes: Readonly<Record<string, Shape>>) {
    super(sys);
    this.list = Object.entries(shapes).map(([name, shape]) => describeDevice(name, shape));
  }
  override all(): BlockDevice[] {
    return [...this.list];
  }
  override get(name: string): BlockDevice | undefined {
    return this.list.find((one) => one.name === name);
  }
}

function describeDevice(name: string, { label, uuid, rdev, dmName, problem, ...shape }: Shape): BlockDevice {
  const [, disk, number] = /^(vd[a-z])(\d+)$/.exec(name) ?? [];
  const contents: Contents = {
    problem,
    found:
      label === undefined && uuid === undefined
        ? undefined
        : {
            type: "ext4",
            usage: "filesystem",
            ...(label === undefined ? {} : { label }),
            ...(uuid === undefined ? {} : { uuid }),
          },
  };
  return {
    name,
    node: `/dev/${name}`,
    rdev: rdev ?? "0:0",
    size_bytes: 1 << 20,
    partition: disk === undefined ? undefined : { number: Number(number), name: shape.name, disk },
    dmName,
    contents: async () => contents,
    table: async () =>
      shape.table && {
        scheme: "gpt",
        id: "",
        partitions: shape.table.map((row, index) => ({
          number: index + 1,
          start_bytes: 0,
          size_bytes: 1,
          uuid: "",
          type: "",
          name: "",
          ...row,
        })),
      },
  };
}

function refTo(written: string): DeviceRef {
  const ref = parseDeviceRef(written);
  if (typeof ref === "string") throw new Error(ref);
  return ref;
}

async function find(written: string, shapes: Readonly<Record<string, Shape>>): Promise<string[]> {
  const found = await findDevice(sys, new Described(shapes), refTo(written));
  return found === undefined ? [] : [found.device, ...found.alsoMatching].map(({ name }) => name);
}

describe("by UUID and LABEL", () => {
  const disks = {
    vda: { uuid: "6f5401f8-12df-4e17-9935-5478f161d51a", label: "root" },
    vdb: { uuid: "6f5401f8-12df-4e17-9935-5478f161d51b", label: "root2" },
    vdc: { uuid: "ABCD-1234", label: "Root" },
    vdd: { uuid: "", label: "" },
    vde: {},
    vdf: { problem: "/dev/vdf can't be read: EIO." },
  };
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["UUID=6f5401f8-12df-4e17-9935-5478f161d51a", ["vda"]],
    ["UUID=6F5401F812DF4E1799355478F161D51B", ["vdb"]],
    ["UUID=abcd-1234", ["vdc"]],
    // A beginning, an end, and more than the whole are other names.
    ["UUID=6f5401f8-12df-4e17-9935-5478f161d51", []],
    ["UUID=6f5401f8", []],
    ["UUID=1234", []],
    ["UUID=ABCD-12345", []],
    ["UUID=-", []],
    // Letters of a label are what they are.
    ["LABEL=root", ["vda"]],
    ["LABEL=roo", []],
    ["LABEL=r\\x6fot", ["vda"]],
    ["LABEL=root2", ["vdb"]],
    ["LABEL=Root", ["vdc"]],
    ["LABEL=ROOT", []],
    ["LABEL=r-oot", []],
    // A label is no UUID, nor the other way round.
    ["UUID=root", []],
    ["LABEL=ABCD-1234", []],
  ];
  for (const [written, expected] of table)
    test(written, async () => expect(await find(written, disks)).toEqual([...expected]));

  test("of several, the first by name is taken and the others are named", async () => {
    expect(
      await find("LABEL=x", { vda: { label: "x" }, vdb: {}, vdc: { label: "x" }, vdd: { label: "x" } }),
    ).toEqual(["vda", "vdc", "vdd"]);
  });
});

describe("by the partition table", () => {
  const rows = [
    { uuid: "0badcafe-01", name: "EFI" },
    { uuid: "0badcafe-02", name: "R\xc3\xb6\xc3\xb6t" },
    { uuid: "0badcafe-03", name: "root" },
  ];
  const disks = {
    vda: { table: rows },
    vda1: { name: "EFI" },
    vda2: { name: "R\xf6\xf6t" },
    vda3: { name: "root" },
    vdb: {},
    vdb1: { name: "of another kind of table" },
    // The same names, on a disk without partitions.
    vdc: { label: "root", uuid: "0badcafe-01" },
  };
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["PARTUUID=0BADCAFE-02", ["vda2"]],
    ["PARTUUID=0badcafe-0", []],
    ["PARTUUID=0badcafe", []],
    ["PARTLABEL=root", ["vda3"]],
    ["PARTLABEL=Root", []],
    // The kernel keeps one byte of each character; the table has them all.
    ["PARTLABEL=R\xc3\xb6\xc3\xb6t", ["vda2"]],
    ["PARTLABEL=of another kind of table", ["vdb1"]],
    ["PARTUUID=0badcafe-01/PARTNROFF=1", ["vda2"]],
    ["PARTUUID=0badcafe-03/PARTNROFF=-2", ["vda1"]],
    ["PARTUUID=0badcafe-03/PARTNROFF=1", []],
    ["PARTUUID=0badcafe-01/PARTNROFF=-1", []],
    ["PARTUUID=0badcafe-01/PARTNROFF=0", ["vda1"]],
  ];
  for (const [written, expected] of table)
    test(written, async () => expect(await find(written, disks)).toEqual([...expected]));
});

describe("by path and number", () => {
  const disks = {
    vda: { rdev: "254:0" },
    vda1: { rdev: "254:1" },
    "dm-0": { rdev: "253:0", dmName: "vg-root" },
    "dm-1": { rdev: "253:1", dmName: "vg--a-lv--b" },
    "dm-2": { rdev: "253:2", dmName: "cr-root" },
  };
  for (const [written, expected] of [
    ["/dev/vda1", ["vda1"]],
    ["/dev/vda", ["vda"]],
    ["/dev/vd", []],
    ["254:1", ["vda1"]],
    ["fe01", ["vda1"]],
    ["/dev/mapper/vg-root", ["dm-0"]],
    ["/dev/dm-0", ["dm-0"]],
    ["/dev/mapper/vg-roo", []],
    ["/dev/vg/root", ["dm-0"]],
    ["/dev/vg-a/lv-b", ["dm-1"]],
    ["/dev/mapper/vg--a-lv--b", ["dm-1"]],
    ["/dev/vg--a/lv--b", []],
    ["/dev/vg/a-lv-b", []],
    ["/dev/cr/root", []],
    ["/dev/mapper/cr-root", ["dm-2"]],
    ["/dev/vg/root/more", []],
    ["/dev/disk/by-id/virtio-root", ["vda"]],
    ["/dev/disk/by-id/virtio-root-part1", ["vda1"]],
    ["/dev/disk/by-path/virtio-pci-0000:00:02.0-part1", ["vda1"]],
    ["/dev/disk/by-id/dm-name-vg-root", ["dm-0"]],
    ["/dev/disk/by-id/virtio", []],
  ] as const)
    test(written, async () => expect(await find(written, disks)).toEqual([...expected]));
});

test("a disk that does not answer holds up no other", async () => {
  const devices = new Described({ vda: { uuid: "dead" }, vdb: { uuid: "ab-cd" } });
  const [dead] = devices.all();
  if (dead === undefined) throw new Error("there is no first device");
  Object.assign(dead, { contents: () => new Promise<Contents>(() => undefined) });
  expect((await findDevice(sys, devices, refTo("UUID=ab-cd"), 20))?.device.name).toBe("vdb");
  expect(await findDevice(sys, devices, refTo("UUID=dead"), 20)).toBeUndefined();
});

const dm = (at: number, name: string, uuid: string): Tree => ({
  dev: `253:${at}\n`,
  size: "8\n",
  dm: { name: `${name}\n`, uuid: `LVM-${uuid}\n`, suspended: "0\n" },
});

test("of a volume and its snapshot, which have the same UUID, the volume is meant", async () => {
  const mapped = fakeKernel({
    rootfs: {
      sys: {
        class: {
          block: {
            "dm-0": dm(0, "vg-a", "a"),
            "dm-1": dm(1, "vg-a-cow", "a-cow"),
            "dm-2": dm(2, "vg-b", "b"),
          },
        },
      },
    },
  });
  const devices = new Described({ "dm-0": { uuid: "ab-cd" }, "dm-2": { uuid: "ab-cd" } });
  const found = await findDevice(mapped.sys, devices, refTo("UUID=ab-cd"));
  expect(found?.device.name).toBe("dm-2");
  expect(found?.alsoMatching).toEqual([]);
});
