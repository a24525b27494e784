import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { images } from "../fixtures/superblocks/images.ts";
import { lvmLabel } from "../fixtures/superblocks/lvm.ts";
import { md090Place, md090Superblock, md10Place, md1Superblock } from "../fixtures/superblocks/md.ts";
import { holding, magics, noisyReader } from "../fixtures/superblocks/noise.ts";
import { Workshop, deviceReader } from "../fixtures/superblocks/tools.ts";
import { sameUuid } from "../../src/lib/uuid.ts";
import type { Reader } from "../../src/probe/format.ts";
import { readPartitionTable } from "../../src/probe/partitions.ts";
import { probeAll, probeSuperblock } from "../../src/probe/superblock.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const KiB = 1024;
const MiB = 1024 * KiB;

/** More reads than any probe has a use for. */
const most_reads = 40;

beforeAll(async () => {
  await Promise.all(
    Object.entries(images).map(([name, { size_bytes, make }]) => make(shop.sparse(name, size_bytes))),
  );
});

type Flip = readonly [offset: number, value: number];

/** An image with some of its bytes replaced and with the end at `size_bytes`; refuses reads outside of it. */
function changed(path: string, flips: readonly Flip[], size_bytes?: number) {
  const device = deviceReader(path, 0, size_bytes);
  const read: Reader = async (offset, length) => {
    if (device.reads.length >= most_reads) throw new Error("too many reads");
    const bytes = await device.read(offset, length);
    for (const [place, value] of flips)
      if (place >= offset && place - offset < bytes.length) bytes[place - offset] = value;
    return bytes;
  };
  return { read, size_bytes: device.size_bytes };
}

/** All that can be asked about a device. */
async function askAll(read: Reader, size_bytes: number) {
  return {
    found: await probeSuperblock(read, size_bytes),
    all: await probeAll(read, size_bytes),
    table: await readPartitionTable(read, size_bytes, 512),
  };
}

describe("real images", () => {
  for (const [name, { parts }] of Object.entries(images)) {
    const path = `${shop.path}/${name}`;
    const sized = () => deviceReader(path).size_bytes;
    const span = ([start, end]: readonly [number, number]) =>
      [start < 0 ? sized() + start : start, end < 0 ? sized() + end : end] as const;

    test(`${name}: cut off anywhere, it neither fails nor reads outside`, async () => {
      const near = fc.integer({ min: 0, max: Math.min(sized(), 150 * KiB) });
      await fc.assert(
        fc.asyncProperty(fc.oneof(near, fc.integer({ min: 0, max: sized() })), async (size_bytes) => {
          const short = changed(path, [], size_bytes);
          expect(await probeAll(short.read, size_bytes)).toBeArray();
          // The same for a device that claims to be longer than it is.
          const { read } = changed(path, []);
          const ending: Reader = async (offset, length) =>
            (await read(offset, length)).subarray(0, Math.max(0, size_bytes - offset));
          expect(await probeAll(ending, sized())).toBeArray();
        }),
        { numRuns: 40 },
      );
    });

    test(`${name}: with bytes of its superblock replaced, it neither fails nor reads outside`, async () => {
      const places = parts.map((part) => {
        const [start, end] = span(part);
        return fc.integer({ min: start, max: end - 1 });
      });
      const flips = fc.array(fc.tuple(fc.oneof(...places), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
        minLength: 1,
        maxLength: 6,
      });
      await fc.assert(
        fc.asyncProperty(flips, async (values) => {
          const { read, size_bytes } = changed(path, values);
          expect(await probeAll(read, size_bytes)).toBeArray();
          await readPartitionTable(read, size_bytes, 512);
        }),
        { numRuns: 60 },
      );
    });

    test(`${name}: with bytes elsewhere replaced, the answer is the same`, async () => {
      const good = changed(path, []);
      const expected = await askAll(good.read, good.size_bytes);
      expect(expected.all.length + (expected.table?.partitions.length ?? 0)).toBeGreaterThan(0);
      const head = fc.integer({ min: 0, max: Math.min(sized(), 256 * KiB) - 1 });
      const tail = fc.integer({ min: Math.max(0, sized() - 256 * KiB), max: sized() - 1 });
      const elsewhere = fc
        .oneof(head, tail)
        .filter((place) => parts.every((part) => place < span(part)[0] || place >= span(part)[1]));
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(elsewhere, fc.nat(255)), { maxLength: 8 }), async (flips) => {
          const { read, size_bytes } = changed(path, flips);
          const { found, table } = await askAll(read, size_bytes);
          expect([found, table]).toEqual([expected.found, expected.table]);
        }),
        { numRuns: 30 },
      );
    });
  }
});

describe("noise", () => {
  const noise = fc.record({
    // Long enough to fill all fields of a sector, short enough to shrink.
    pattern: fc.uint8Array({ minLength: 1, maxLength: 700 }),
    size_bytes: fc.oneof(fc.nat(70 * KiB), fc.nat(3 * MiB)),
    planted: fc.subarray(magics.slice()),
  });

  test("with magics in it neither fails, nor hangs, nor reads outside", async () => {
    await fc.assert(
      fc.asyncProperty(noise, async ({ pattern, size_bytes, planted }) => {
        const { all } = await askAll(noisyReader(pattern, size_bytes, planted), size_bytes);
        for (const found of all) expect(found.type).toBeString();
      }),
      { numRuns: 150 },
    );
  });

  test("of partition tables, with sectors of any size, neither fails nor hangs", async () => {
    const sectors = fc.uint8Array({ minLength: 512, maxLength: 512 });
    const types = fc.constantFrom(0x05, 0xee);
    await fc.assert(
      fc.asyncProperty(sectors, types, fc.constantFrom(512, 4096), async (sector, type, sector_bytes) => {
        for (const indicator of [446, 462, 478, 494]) sector[indicator] = 0;
        sector[466] = type;
        sector.set([0x55, 0xaa], 510);
        // The same sector everywhere: a table that leads to itself, wherever it leads.
        const found = await readPartitionTable(noisyReader(sector, MiB, []), MiB, sector_bytes);
        expect(found?.partitions.length ?? 0).toBeLessThanOrEqual(255);
      }),
      { numRuns: 60 },
    );
  });
});

const dump = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("what was encoded is found", () => {
  const word = fc.integer({ min: 1, max: 0xffffffff });
  const sixteen = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .filter((bytes) => bytes.some((byte) => byte !== 0));
  const sizes = fc.integer({ min: 4 * MiB, max: 5 * MiB });

  test("md 0.90 in both byte orders", async () => {
    const arrays = fc.record({
      little_endian: fc.boolean(),
      uuid: fc.array(word, { minLength: 4, maxLength: 4 }),
      level: fc.constantFrom(0, 1, 4, 5, 6, 10),
      raid_disks: fc.integer({ min: 1, max: 27 }),
      component_kib: fc.integer({ min: 64, max: 3900 }),
      events: fc.bigInt(0n, 2n ** 64n - 1n),
    });
    await fc.assert(
      fc.asyncProperty(sizes, arrays, async (size_bytes, fields) => {
        const read = holding(size_bytes, { offset: md090Place(size_bytes), bytes: md090Superblock(fields) });
        const [found] = await probeAll(read, size_bytes);
        const digits = fields.uuid.map((part) => part.toString(16).padStart(8, "0")).join(":");
        expect(sameUuid(found?.uuid ?? "", digits)).toBe(true);
        expect(found?.damaged).toBeUndefined();
        expect(found?.details).toMatchObject({
          level: `raid${fields.level}`,
          raid_disks: `${fields.raid_disks}`,
          events: `${fields.events}`,
        });
      }),
    );
  });

  test("md 1 in all places", async () => {
    const members = fc.record({
      uuid: sixteen,
      name: fc
        .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 32 })
        .filter((name) => name.trim() === name),
      device_uuid: sixteen,
      level: fc.constantFrom(0, 1, 4, 5, 6, 10),
      raid_disks: fc.integer({ min: 1, max: 300 }),
      events: fc.bigInt(0n, 2n ** 64n - 1n),
      max_dev: fc.integer({ min: 0, max: 1920 }),
    });
    const places = fc.constantFrom(
      (size_bytes: number) => md10Place(size_bytes),
      () => 0,
      () => 4096,
    );
    await fc.assert(
      fc.asyncProperty(sizes, places, members, async (size_bytes, place, fields) => {
        const offset = place(size_bytes);
        const read = holding(size_bytes, { offset, bytes: md1Superblock({ ...fields, offset }) });
        const [found] = await probeAll(read, size_bytes);
        expect(sameUuid(found?.uuid ?? "", dump(fields.uuid))).toBe(true);
        expect(sameUuid(found?.uuid_sub ?? "", dump(fields.device_uuid))).toBe(true);
        expect([found?.label, found?.damaged]).toEqual([fields.name, undefined]);
        expect(found?.details).toMatchObject({
          raid_disks: `${fields.raid_disks}`,
          events: `${fields.events}`,
        });
      }),
    );
  });

  test("an LVM2 label in each sector", async () => {
    const ids = fc.string({ unit: fc.constantFrom(..."0123456789abcXYZ"), minLength: 32, maxLength: 32 });
    await fc.assert(
      fc.asyncProperty(ids, fc.nat(3), async (id, sector) => {
        const bytes = lvmLabel({ id, size_bytes: 4 * MiB, sector });
        const [found] = await probeAll(holding(4 * MiB, { offset: 512 * sector, bytes }), 4 * MiB);
        expect([found?.uuid?.replaceAll("-", ""), found?.damaged]).toEqual([id, undefined]);
      }),
    );
  });
});
