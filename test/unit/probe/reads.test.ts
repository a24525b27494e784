import { afterAll, describe, expect, test } from "bun:test";
import { md10Place, md1Superblock } from "../../fixtures/superblocks/md.ts";
import { Workshop, deviceReader, patch, run } from "../../fixtures/superblocks/tools.ts";
import { Device } from "../../../src/probe/device.ts";
import { probeAll, probeSuperblock } from "../../../src/probe/superblock.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

async function readsOf(path: string) {
  const { read, reads, size_bytes } = deviceReader(path);
  await probeSuperblock(read, size_bytes);
  return reads;
}

describe("a probe reads little", () => {
  test("a blank device: the first 68 KiB, and the end", async () => {
    expect(await readsOf(shop.sparse("blank", 64 * MiB))).toEqual([
      { offset: 0, length: 68 * 1024 },
      { offset: 64 * MiB - 132 * 1024, length: 132 * 1024 },
    ]);
  });

  test("a device that both overlap on: once", async () => {
    expect(await readsOf(shop.sparse("small", 2 * MiB - 512))).toHaveLength(2);
    expect(await readsOf(shop.sparse("smaller", 128 * 1024))).toEqual([{ offset: 0, length: 128 * 1024 }]);
  });

  test("two reads for each format that keeps all it has in one place", async () => {
    const makers: Record<string, (path: string) => Promise<string>> = {
      ext4: (path) => run("mkfs.ext4", ["-q", "-F", path]),
      btrfs: (path) => run("mkfs.btrfs", ["-q", path]),
      f2fs: (path) => run("mkfs.f2fs", ["-q", path]),
      swap: (path) => run("mkswap", ["-p", "65536", path]),
    };
    for (const [name, make] of Object.entries(makers)) {
      const path = shop.sparse(name, 128 * MiB);
      await make(path);
      expect([name, (await readsOf(path)).length]).toEqual([name, 2]);
    }
  });

  test("a third one for the root directory of a FAT", async () => {
    for (const [type, size_bytes] of [
      ["16", 64 * MiB],
      ["32", 64 * MiB],
    ] as const) {
      const path = shop.sparse(`fat ${type}`, size_bytes);
      await run("mkfs.fat", ["-F", type, "-n", "NAME", path]);
      const reads = await readsOf(path);
      expect(reads.length).toBeLessThanOrEqual(3);
    }
  });

  test("nothing more once a member of an array is found", async () => {
    const offset = md10Place(64 * MiB);
    const uuid = new Uint8Array(16).fill(1);
    const member = {
      offset,
      uuid,
      name: "",
      device_uuid: uuid,
      level: 1,
      raid_disks: 2,
      events: 1n,
      max_dev: 2,
    };
    const path = shop.sparse("member", 64 * MiB);
    await run("mkfs.fat", ["-F", "32", "-n", "INSIDE", path, `${60 * 1024}`]);
    patch(path, [{ offset, bytes: md1Superblock(member) }]);
    expect(await readsOf(path)).toHaveLength(2);
  });
});

const unreadable = () => Promise.reject(new Error("bad sector"));

describe("a device that can't be read", () => {
  test("the error arrives", async () => {
    await expect(probeSuperblock(unreadable, 8 * MiB)).rejects.toThrow("bad sector");
    await expect(probeAll(unreadable, 8 * MiB)).rejects.toThrow("bad sector");
  });

  test("a device that ends early holds what was read", async () => {
    const path = shop.sparse("short", 8 * MiB);
    await run("mkfs.ext4", ["-q", "-F", path]);
    const { read } = deviceReader(path, 0, 8 * MiB);
    const short = async (offset: number, length: number) =>
      (await read(offset, length)).subarray(0, Math.max(0, 4096 - offset));
    expect((await probeSuperblock(short, 8 * MiB))?.type).toBe("ext4");
  });
});

describe("Device", () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index & 0xff);
  const makeDevice = (limit_bytes: number) => {
    const reads: number[][] = [];
    const read = (offset: number, length: number) => {
      reads.push([offset, length]);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    };
    return { reads, device: new Device(read, bytes.length, { bytes: limit_bytes }) };
  };

  test("gives exactly what was asked for, also from the end", async () => {
    const { device } = makeDevice(1e6);
    expect(device.at(5, 3)).toBeUndefined();
    expect((await device.get(5, 3))?.slice(0, 3)).toEqual(Uint8Array.of(5, 6, 7));
    expect((await device.get(-2, 2))?.slice(0, 2)).toEqual(bytes.subarray(-2));
  });

  test("never asks for what lies outside", async () => {
    const { device, reads } = makeDevice(1e6);
    for (const [offset, length] of [
      [299_999, 2],
      [-300_001, 4],
      [0, 0],
      [0, -1],
      [NaN, 4],
      [Infinity, 4],
      [0.5, 1],
      [2 ** 60, 1],
    ])
      expect(await device.get(offset ?? 0, length ?? 0)).toBeUndefined();
    expect(reads).toEqual([]);
  });

  test("reads neighbours together and keeps what it has", async () => {
    const { device, reads } = makeDevice(1e6);
    device.want([
      { offset: 10_000, length: 10 },
      { offset: 0, length: 1 },
      { offset: -1, length: 1 },
    ]);
    expect(await device.load()).toBe(true);
    expect(reads).toEqual([
      [0, 12_288],
      [299_008, 992],
    ]);
    await device.get(11_000, 100);
    expect(reads).toHaveLength(2);
  });

  test("stops at its limit", async () => {
    const { device, reads } = makeDevice(8192);
    expect(await device.get(0, 8193)).toBeUndefined();
    expect(await device.get(0, 8192)).toBeDefined();
    expect(await device.get(100_000, 1)).toBeUndefined();
    expect(reads).toEqual([[0, 8192]]);
  });
});
