import { afterAll, describe, expect, test } from "bun:test";
import { expectLikeLibblkid, tableOf } from "../../fixtures/superblocks/tables.ts";
import { Workshop, deviceReader, partx, patch, run } from "../../fixtures/superblocks/tools.ts";
import { toBytes } from "../../../src/lib/bytes.ts";
import { readPartitionTable } from "../../../src/probe/partitions.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

/** The end of a sector with a table: four entries and the signature. */
function table(...entries: readonly (readonly [type: number, start: number, sectors: number])[]): Uint8Array {
  const bytes = Buffer.alloc(66);
  for (const [index, [type, start, sectors]] of entries.entries()) {
    bytes[16 * index + 4] = type;
    bytes.writeUInt32LE(start, 16 * index + 8);
    bytes.writeUInt32LE(sectors, 16 * index + 12);
  }
  bytes.writeUInt16LE(0xaa55, 64);
  return bytes;
}

/** A disk with a table in each of these sectors. */
function disk(name: string, links: Record<number, Uint8Array>, signature = 0x5eed): string {
  const tables = Object.entries(links).map(([sector, bytes]) => ({
    offset: 512 * Number(sector) + 446,
    bytes,
  }));
  const id = Buffer.alloc(4);
  id.writeUInt32LE(signature);
  return shop.image(name, 8 * MiB, [...tables, { offset: 440, bytes: id }]);
}

async function numbers(path: string): Promise<number[] | undefined> {
  return (await tableOf(path))?.partitions.map(({ number }) => number);
}

describe("boot sectors that are no table", () => {
  test("of a FAT", async () => {
    for (const type of ["12", "16", "32"]) {
      const path = shop.sparse(`fat${type}`, 40 * MiB);
      await run("mkfs.fat", ["-F", type, ...(type === "12" ? ["-s", "64"] : []), path]);
      expect((await partx(path, 512)) ?? []).toEqual([]);
      expect(await tableOf(path)).toBeUndefined();
    }
  });

  test("without a signature, with odd boot indicators, of AIX", async () => {
    const entry = Uint8Array.of(0, 0, 0, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0);
    const signature = { offset: 510, bytes: toBytes("\x55\xaa") };
    const images = {
      unsigned: [{ offset: 446, bytes: entry }],
      odd: [
        { offset: 446, bytes: Uint8Array.from(entry, (byte, index) => (index === 0 ? 0x7f : byte)) },
        signature,
      ],
      aix: [{ offset: 0, bytes: toBytes("\xc9\xc2\xd4\xc1") }, { offset: 446, bytes: entry }, signature],
    };
    for (const [name, pieces] of Object.entries(images)) {
      const path = shop.image(name, 8 * MiB, pieces);
      expect((await partx(path, 512)) ?? []).toEqual([]);
      expect(await tableOf(path)).toBeUndefined();
    }
  });

  test("but the rest of a FAT's under a table of partitions that fit is the table's", async () => {
    const path = shop.sparse("fat then dos", 64 * MiB);
    await run("mkfs.fat", ["-F", "16", path]);
    patch(path, [{ offset: 446, bytes: table([0x83, 100, 100], [0x82, 300, 32_000]) }]);
    expect((await tableOf(path))?.partitions.map(({ number }) => number)).toEqual([1, 2]);
  });
});

describe("chains of logical partitions", () => {
  test("that lead back to themselves end", async () => {
    const path = disk("loop", {
      0: table([0x05, 1000, 8000]),
      1000: table([0x83, 10, 10], [0x05, 100, 50]),
      1100: table([0x83, 10, 10], [0x05, 200, 50]),
      1200: table([0x83, 10, 10], [0x05, 100, 50]),
    });
    expect(await numbers(path)).toEqual([1, 5, 6, 7]);
  });

  test("without any partition end after a hundred links", async () => {
    const links = Array.from(
      { length: 200 },
      (_, index) => [1000 + index, table([0, 0, 0], [0x05, index + 1, 1])] as const,
    );
    const path = disk("empty links", { 0: table([0x0f, 1000, 8000]), ...Object.fromEntries(links) });
    const { read, reads, size_bytes } = deviceReader(path);
    expect((await readPartitionTable(read, size_bytes, 512))?.partitions.map(({ number }) => number)).toEqual(
      [1],
    );
    expect(reads.length).toBeLessThanOrEqual(100);
    expect(await expectLikeLibblkid(path)).toBeDefined();
  });

  test("with the link first, junk in the last two entries, and an end outside of the disk", async () => {
    const path = disk("odd links", {
      0: table([0x85, 1000, 4000], [0x83, 6000, 100]),
      1000: table([0x05, 500, 200], [0x83, 10, 10], [0x83, 20, 10], [0x83, 7000, 99999]),
      1500: table([0x83, 10, 10], [0x05, 99_999, 10]),
    });
    const found = await expectLikeLibblkid(path);
    expect(found.partitions.map(({ number }) => number)).toEqual([1, 2, 5, 6, 7]);
  });

  test("of two extended partitions are numbered one after the other", async () => {
    const path = disk("two chains", {
      0: table([0x05, 1000, 1000], [0x0f, 3000, 1000]),
      1000: table([0x83, 10, 10]),
      3000: table([0x83, 10, 10]),
    });
    expect(await numbers(path)).toEqual([1, 2, 5, 6]);
    expect(await expectLikeLibblkid(path)).toBeDefined();
  });

  test("a signature of zero names partitions all the same, as in the kernel", async () => {
    const path = disk("unsigned disk", { 0: table([0x83, 100, 100]) }, 0);
    expect((await tableOf(path))?.partitions[0]?.uuid).toBe("00000000-01");
  });
});
