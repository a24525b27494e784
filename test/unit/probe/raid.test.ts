import { afterAll, describe, expect, test } from "bun:test";
import { expectLikeBlkid, probeFile } from "../../fixtures/superblocks/compare.ts";
import { lvmLabel } from "../../fixtures/superblocks/lvm.ts";
import {
  md090Place,
  md090Superblock,
  md10Place,
  md1Superblock,
  type Md1,
} from "../../fixtures/superblocks/md.ts";
import { Workshop, blkid } from "../../fixtures/superblocks/tools.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

// Sizes on and beside every boundary that decides where a superblock at the end stands.
const sizes = [
  8 * MiB,
  8 * MiB + 512,
  8 * MiB + 4095,
  8 * MiB + 0x10000 - 512,
  8 * MiB + 0xfe00,
  1440 * 1024 + 512,
];

const array = {
  little_endian: true,
  uuid: [0x01234567, 0x89abcdef, 0x00112233, 0xfedcba98],
  level: 1,
  raid_disks: 2,
  component_kib: 1024,
  events: 0x500000007n,
  minor: 127,
  number: 1,
  failed: [0],
};

const member: Md1 = {
  offset: 0,
  uuid: Uint8Array.from({ length: 16 }, (_, index) => 16 * index + 1),
  name: "host:root array",
  device_uuid: Uint8Array.from({ length: 16 }, (_, index) => 255 - index),
  level: 10,
  raid_disks: 4,
  events: 0x100000042n,
  max_dev: 7,
  number: 5,
  roles: [0, 1, 0xfffe, 0xffff, 1, 2, 0xfffd],
};

describe("md 0.90", () => {
  for (const little_endian of [true, false])
    for (const size_bytes of sizes)
      test(`${little_endian ? "little" : "big"}-endian on ${size_bytes} bytes`, async () => {
        const bytes = md090Superblock({ ...array, little_endian });
        const path = shop.image(`md090 ${little_endian} ${size_bytes}`, size_bytes, [
          { offset: md090Place(size_bytes), bytes },
        ]);
        const found = await expectLikeBlkid(path);
        expect(found).toEqual({
          type: "linux_raid_member",
          usage: "raid",
          uuid: "01234567-89ab-cdef-0011-2233fedcba98",
          version: "0.90.0",
          details: {
            level: "raid1",
            raid_disks: "2",
            events: "21474836487",
            component_bytes: "1048576",
            minor: "127",
            role: "1",
            active: "1",
            number: "1",
          },
        });
      });

  test("one that claims more than the device has is none", async () => {
    const bytes = md090Superblock({ ...array, component_kib: 8192 });
    const path = shop.image("md090 large", 8 * MiB, [{ offset: md090Place(8 * MiB), bytes }]);
    expect(await blkid(path)).toBeUndefined();
    expect(await probeFile(path)).toBeUndefined();
  });
});

describe("md 1", () => {
  const places: Record<string, (size_bytes: number) => number> = {
    "1.0": md10Place,
    "1.1": () => 0,
    "1.2": () => 4096,
  };
  for (const [version, place] of Object.entries(places))
    for (const size_bytes of sizes)
      test(`${version} on ${size_bytes} bytes`, async () => {
        const offset = place(size_bytes);
        const path = shop.image(`md ${version} ${size_bytes}`, size_bytes, [
          { offset, bytes: md1Superblock({ ...member, offset }) },
        ]);
        expect(await expectLikeBlkid(path)).toEqual({
          type: "linux_raid_member",
          usage: "raid",
          uuid: "01112131-4151-6171-8191-a1b1c1d1e1f1",
          uuid_sub: "fffefdfc-fbfa-f9f8-f7f6-f5f4f3f2f1f0",
          label: "host:root array",
          version,
          details: {
            level: "raid10",
            raid_disks: "4",
            events: "4294967362",
            role: "2",
            active: "0 1 1 2",
          },
        });
      });

  test("roles by name", async () => {
    const roles = [0, 2, 3, 6, 99].map(async (number) => {
      const path = shop.image(`number ${number}`, 8 * MiB, [
        { offset: 4096, bytes: md1Superblock({ ...member, offset: 4096, number }) },
      ]);
      return (await expectLikeBlkid(path)).details?.["role"];
    });
    expect(await Promise.all(roles)).toEqual(["0", "faulty", "spare", "journal", "spare"]);
  });

  test("levels by name", async () => {
    const levels = [-5, -4, -1, 0, 5, 6, -1_000_000].map(async (level) => {
      const path = shop.image(`level ${level}`, 8 * MiB, [
        { offset: 4096, bytes: md1Superblock({ ...member, offset: 4096, level }) },
      ]);
      return (await expectLikeBlkid(path)).details?.["level"];
    });
    expect(await Promise.all(levels)).toEqual([
      "faulty",
      "multipath",
      "linear",
      "raid0",
      "raid5",
      "raid6",
      "-1000000",
    ]);
  });

  test("a superblock that belongs to another place is none", async () => {
    const path = shop.image("misplaced", 8 * MiB, [
      { offset: 4096, bytes: md1Superblock({ ...member, offset: 8192 }) },
    ]);
    expect(await blkid(path)).toBeUndefined();
    expect(await probeFile(path)).toBeUndefined();
  });
});

describe("LVM2", () => {
  const id = "abcdefGHIJ0123456789klmnopQRSTUV";

  for (const sector of [0, 1, 2, 3])
    test(`a label in sector ${sector}`, async () => {
      const path = shop.image(`pv ${sector}`, 8 * MiB, [
        { offset: 512 * sector, bytes: lvmLabel({ id, size_bytes: 8 * MiB, sector }) },
      ]);
      expect(await expectLikeBlkid(path)).toEqual({
        type: "LVM2_member",
        usage: "raid",
        uuid: "abcdef-GHIJ-0123-4567-89kl-mnop-QRSTUV",
        version: "LVM2 001",
      });
    });

  test("a label behind them, or of another sector, is none", async () => {
    for (const [place, sector] of [
      [4, 4],
      [2, 1],
    ] as const) {
      const path = shop.image(`pv ${place} ${sector}`, 8 * MiB, [
        { offset: 512 * place, bytes: lvmLabel({ id, size_bytes: 8 * MiB, sector }) },
      ]);
      expect(await blkid(path)).toBeUndefined();
      expect(await probeFile(path)).toBeUndefined();
    }
  });
});

describe("containers of disk controllers", () => {
  test("Intel's, in the last but one sector", async () => {
    for (const size_bytes of [8 * MiB, 8 * MiB + 512, 8 * MiB + 100]) {
      const offset = Math.floor(size_bytes / 512) * 512 - 1024;
      const bytes = Buffer.from("Intel Raid ISM Cfg Sig. 1.3.00\0\0");
      const path = shop.image(`isw ${size_bytes}`, size_bytes, [{ offset, bytes }]);
      expect(await expectLikeBlkid(path)).toEqual({
        type: "isw_raid_member",
        usage: "raid",
        version: "1.3.00",
      });
    }
  });

  test("SNIA's, in either byte order, with its primary header", async () => {
    for (const big of [true, false])
      for (const sectors of [1, 257]) {
        const bytes = new Uint8Array(512);
        const view = new DataView(bytes.buffer);
        view.setUint32(0, 0xde11de11, !big);
        bytes.set(Buffer.from("Linux-MD\x01\x02\x03\x04abcdefghijkl01.02.00"), 8);
        view.setBigUint64(96, 100n, !big);
        const place = { offset: 8 * MiB - 512 * sectors, bytes };
        const path = shop.image(`ddf ${big} ${sectors}`, 8 * MiB, [place, { offset: 51_200, bytes }]);
        expect(await expectLikeBlkid(path)).toMatchObject({ type: "ddf_raid_member", version: "01.02.00" });
        const lost = shop.image(`ddf lost ${big} ${sectors}`, 8 * MiB, [place]);
        expect([await blkid(lost), await probeFile(lost)]).toEqual([undefined, undefined]);
      }
  });
});
