import { describe, expect, test } from "bun:test";
import type { BlockDevice, Contents } from "../../../../src/boot/devices/blockdevice.ts";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import { describeDevices, listDevices } from "../../../../src/boot/rescue/report.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { inVirtualTime } from "../../../fixtures/virtual-time.ts";

class Listed extends BlockDevices {
  private readonly list: readonly BlockDevice[];

  constructor(...list: readonly BlockDevice[]) {
    super(fakeKernel().sys);
    this.list = list;
  }
  override all(): BlockDevice[] {
    return [...this.list];
  }
  override get(name: string): BlockDevice | undefined {
    return this.list.find((one) => one.name === name);
  }
}

function device(
  name: string,
  contents: Partial<Contents> | Promise<Contents>,
  more: Partial<BlockDevice> = {},
): BlockDevice {
  return {
    name,
    node: `/dev/${name}`,
    rdev: "8:0",
    size_bytes: 512,
    partition: undefined,
    dmName: undefined,
    contents: async () => ({ found: undefined, problem: undefined, ...(await contents) }),
    table: async () => undefined,
    ...more,
  };
}

const row = {
  number: 2,
  start_bytes: 0,
  size_bytes: 1,
  uuid: "0badcafe-02",
  type: "0x83",
  name: "my \x1b root",
};

test("no device at all", async () => {
  expect(await describeDevices(new Listed())).toBe("there is no block device yet");
  expect(await listDevices(new Listed())).toEqual([]);
});

describe("a device in one line", () => {
  const table: readonly (readonly [string, string, BlockDevice])[] = [
    ["empty", "vda 512 B", device("vda", {})],
    [
      "a filesystem, its name made harmless",
      'vda 20 GiB ext4 LABEL="a\\nb" UUID=12-ab',
      device(
        "vda",
        { found: { type: "ext4", usage: "filesystem", label: "a\nb", uuid: "12-ab" } },
        { size_bytes: 20 * 2 ** 30 },
      ),
    ],
    ["a mapping", "dm-0 1.5 KiB (vg-root)", device("dm-0", {}, { dmName: "vg-root", size_bytes: 1536 })],
    [
      "unreadable",
      "sda 10 MiB (unreadable)",
      device("sda", { problem: "x" }, { size_bytes: 10.4 * 2 ** 20 }),
    ],
    [
      "damaged",
      "sda 1 TiB xfs (damaged)",
      device("sda", { found: { type: "xfs", usage: "filesystem", damaged: "x" } }, { size_bytes: 2 ** 40 }),
    ],
    [
      "a disk with partitions",
      "sda 512 B (partitioned)",
      device("sda", {}, { table: async () => ({ scheme: "gpt", id: "", partitions: [row] }) }),
    ],
  ];
  for (const [name, line, one] of table)
    test(name, async () => {
      expect(await listDevices(new Listed(one))).toEqual([`  ${line}`]);
      expect(await describeDevices(new Listed(one))).toBe(`there is ${line}`);
    });

  test("a partition with what its disk's table says", async () => {
    const disk = device("sda", {}, { table: async () => ({ scheme: "gpt", id: "", partitions: [row] }) });
    const part = device("sda2", {}, { partition: { number: 2, name: undefined, disk: "sda" } });
    const other = device("sda7", {}, { partition: { number: 7, name: undefined, disk: "sda" } });
    expect((await listDevices(new Listed(disk, part, other))).slice(1)).toEqual([
      '  sda2 512 B PARTUUID=0badcafe-02 PARTLABEL="my \\x1b root"',
      "  sda7 512 B",
    ]);
  });
});

test("a device that does not answer holds up nothing for long", async () => {
  await inVirtualTime(async (advance) => {
    const stuck = device("sdb", new Promise<Contents>(() => {}));
    const lines = listDevices(new Listed(device("sda", {}), stuck));
    await advance(2000);
    expect(await lines).toEqual(["  sda 512 B", "  sdb 512 B (does not answer)"]);
    // It may not have had its turn yet (turns.ts).
    const line = describeDevices(new Listed(device("sda", {}), stuck));
    await advance(2000);
    expect(await line).toBe("there is sda 512 B, sdb 512 B (not read yet)");
  });
});

test("of hundreds of devices those are told that hold something, and how many others there are", async () => {
  const found = { type: "ext4", usage: "filesystem" } as const;
  const many = Array.from({ length: 512 }, (_, at) => device(`sd${at}`, at % 100 === 99 ? { found } : {}));
  const line = await describeDevices(new Listed(...many));
  expect(line).toStartWith("there is sd0 512 B, sd1 512 B, ");
  for (const name of ["sd99", "sd199", "sd299", "sd399", "sd499"])
    expect(line).toContain(`${name} 512 B ext4, `);
  expect(line).toEndWith(", and 496 others");
  expect(line.split(", ")).toHaveLength(17);
  const lines = await listDevices(new Listed(...many));
  expect(lines).toHaveLength(65);
  expect(lines.at(-1)).toBe("  and 448 others");
});
