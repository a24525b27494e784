import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectLikeBlkid } from "../../fixtures/superblocks/compare.ts";
import { gptImage } from "../../fixtures/superblocks/gpt.ts";
import { expectLikeLibblkid, tableOf } from "../../fixtures/superblocks/tables.ts";
import { Workshop, bytesOf, partx, patch, run } from "../../fixtures/superblocks/tools.ts";
import { text, toBytes } from "../../../src/lib/bytes.ts";
import type { PartitionTable } from "../../../src/probe/table.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

// sfdisk waits a quarter of a second in each run and sgdisk a whole one: all of the disks are made at once. For
// sectors of another size it takes fdisk, which answers to keys.
const disks: Record<string, { sector_bytes: number; tool: string; options?: string[]; input?: string }> = {
  gpt: {
    sector_bytes: 512,
    tool: "sfdisk",
    input: [
      "label: gpt",
      "label-id: 01234567-89AB-CDEF-0123-456789ABCDEF",
      'start=2048, size=2048, name="plain", uuid=FEDCBA98-7654-3210-FEDC-BA9876543210',
      'start=4096, size=2048, name="Würzel ☃", type=U',
      "start=8192, size=2048",
    ].join("\n"),
  },
  dos: {
    sector_bytes: 512,
    tool: "sfdisk",
    input: [
      "label: dos",
      "label-id: 0x00abcdef",
      "start=2048, size=1024, type=83, bootable",
      "start=4096, size=65536, type=5",
      "start=70000, size=1000, type=82",
      ...Array.from({ length: 12 }, (_, index) => `start=${6144 + 4096 * index}, size=512, type=8e`),
    ].join("\n"),
  },
  "gpt of 4 KiB sectors": {
    sector_bytes: 4096,
    tool: "fdisk",
    input: "g n 1 256 511 n 2 512 767 w".replaceAll(" ", "\n"),
  },
  "dos of 4 KiB sectors": {
    sector_bytes: 4096,
    tool: "fdisk",
    input: "o n p 1 256 511 n e 2 512 1535 n l 768 895 n l 1152 1279 w".replaceAll(" ", "\n"),
  },
  "gpt with gaps between its numbers": {
    sector_bytes: 512,
    tool: "sgdisk",
    options: [
      "--clear",
      "--new=3:2048:+1M",
      "--new=128:0:+1M",
      "--change-name=128:last",
      "--typecode=3:fd00",
    ],
  },
  "gpt with a hybrid MBR": {
    sector_bytes: 512,
    tool: "sgdisk",
    options: ["--clear", "--new=1:2048:+1M", "--new=2:0:+1M", "--hybrid=1"],
  },
};

beforeAll(async () => {
  const made = Object.entries(disks).map(([name, { tool, options = [], sector_bytes, input = "" }]) => {
    const all = tool === "fdisk" ? ["--sector-size", `${sector_bytes}`] : options;
    return run(tool, [...all, shop.sparse(name, 64 * MiB)], Buffer.from(`${input}\n`).toString("latin1"));
  });
  await Promise.all(made);
});

describe("as libblkid sees it", () => {
  for (const [name, { sector_bytes }] of Object.entries(disks))
    test(name, async () => {
      const table = await expectLikeLibblkid(`${shop.path}/${name}`, sector_bytes);
      expect(table.partitions.length).toBeGreaterThan(1);
      expect(table.damaged).toBeUndefined();
    });

  test("names and identifiers of a GPT", async () => {
    const table = await tableOf(`${shop.path}/gpt`);
    expect(table?.id).toBe("01234567-89ab-cdef-0123-456789abcdef");
    expect(table?.partitions.map(({ name }) => text(name))).toEqual(["plain", "Würzel ☃", ""]);
    expect(table?.partitions[0]?.uuid).toBe("fedcba98-7654-3210-fedc-ba9876543210");
    expect(table?.partitions[1]?.type).toBe("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  });

  test("numbers of logical partitions, and PARTUUIDs in hexadecimal", async () => {
    const table = await tableOf(`${shop.path}/dos`);
    expect(table?.id).toBe("00abcdef");
    expect(table?.partitions.map(({ number }) => number)).toEqual([
      1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    ]);
    expect(table?.partitions.at(-1)?.uuid).toBe("00abcdef-10");
  });

  test("a GPT with gaps between its numbers", async () => {
    const table = await tableOf(`${shop.path}/gpt with gaps between its numbers`);
    expect(table?.partitions.map(({ number, name }) => [number, name])).toEqual([
      [3, ""],
      [128, "last"],
    ]);
  });

  test("a hybrid MBR counts as GPT", async () => {
    expect((await tableOf(`${shop.path}/gpt with a hybrid MBR`))?.scheme).toBe("gpt");
  });
});

test("what is in each partition, where the table says that it is", async () => {
  const path = await copyOfGpt("filled");
  const [one, two] = (await tableOf(path))?.partitions ?? [];
  if (one === undefined || two === undefined) throw new Error("the disk has fewer than two partitions");
  const swap = shop.sparse("content", two.size_bytes);
  await run("mkswap", ["-L", "in the second", swap]);
  patch(path, [{ offset: two.start_bytes, bytes: bytesOf(swap, 0, 4096) }]);
  await run("mkfs.ext4", ["-q", "-F", "-E", `offset=${one.start_bytes}`, "-L", "first", path, "1024k"]);
  expect((await expectLikeBlkid(path, one.start_bytes, one.size_bytes)).label).toBe("first");
  expect((await expectLikeBlkid(path, two.start_bytes, two.size_bytes)).label).toBe("in the second");
});

async function copyOfGpt(name: string): Promise<string> {
  const path = `${shop.path}/${name}`;
  await run("cp", ["--sparse=always", `${shop.path}/gpt`, path]);
  return path;
}

describe("a damaged GPT", () => {
  const cases: Record<string, { offset: number; bytes: Uint8Array; damaged: RegExp }> = {
    "without its header": {
      offset: 512,
      bytes: new Uint8Array(512),
      damaged: /^the primary GPT header is missing from sector 1; the backup/,
    },
    "with a spoilt header": {
      offset: 512 + 60,
      bytes: toBytes("?"),
      damaged: /^the primary GPT header is damaged \(checksum/,
    },
    "with a spoilt list": {
      offset: 1024 + 60,
      bytes: toBytes("?"),
      damaged: /^the primary list of partitions of the GPT is damaged/,
    },
    "with an impossible length": {
      offset: 512 + 12,
      bytes: toBytes("\xff\xff"),
      damaged: /can't be 65535 bytes long/,
    },
  };
  for (const [name, { offset, bytes, damaged }] of Object.entries(cases))
    test(`${name}: the backup answers`, async () => {
      const path = await copyOfGpt(name);
      patch(path, [{ offset, bytes }]);
      const table = await expectLikeLibblkid(path);
      expect(table).toEqual({
        ...(await tableOf(`${shop.path}/gpt`)),
        damaged: expect.stringMatching(damaged),
      } as PartitionTable);
    });

  test("in both copies: a GPT of which nothing is left", async () => {
    const path = await copyOfGpt("both");
    patch(path, [
      { offset: 512, bytes: new Uint8Array(512) },
      { offset: -512 + 16, bytes: toBytes("????") },
    ]);
    expect((await partx(path, 512)) ?? []).toEqual([]);
    const table = await tableOf(path);
    expect(table?.partitions).toEqual([]);
    expect(table?.damaged).toMatch(
      /^the primary GPT header is missing from sector 1, and the backup GPT header is damaged/,
    );
  });

  test("without the protective MBR it is none", async () => {
    const path = await copyOfGpt("unprotected");
    patch(path, [{ offset: 446, bytes: new Uint8Array(64) }]);
    expect((await expectLikeLibblkid(path)).scheme).toBe("dos");
    patch(path, [{ offset: 510, bytes: new Uint8Array(2) }]);
    expect(await tableOf(path)).toBeUndefined();
  });
});

describe("GPTs that no tool makes", () => {
  for (const entry_bytes of [128, 256, 1024])
    for (const sector_bytes of [512, 4096])
      test(`entries of ${entry_bytes} bytes on sectors of ${sector_bytes}`, async () => {
        const size_bytes = 4 * MiB;
        const layout = { size_bytes, sector_bytes, entry_bytes, entries: 12, partitions: [1, 5, 12] };
        const path = shop.image(`gpt ${entry_bytes} ${sector_bytes}`, size_bytes, gptImage(layout));
        // libblkid and the kernel know entries of 128 bytes only.
        const table =
          entry_bytes === 128
            ? await expectLikeLibblkid(path, sector_bytes)
            : await tableOf(path, sector_bytes);
        expect(table?.damaged).toBeUndefined();
        expect(table?.partitions.map(({ number, name }) => [number, name])).toEqual([
          [1, "part 1"],
          [5, "part 5"],
          [12, "part 12"],
        ]);
      });

  test("a partition that ends before it starts, or behind the disk, is none", async () => {
    const layout = {
      size_bytes: 4 * MiB,
      sector_bytes: 512,
      entry_bytes: 128,
      entries: 128,
      partitions: [1, 2, 3],
    };
    const spans = { 2: { first: 200, last: 100 }, 3: { first: 100, last: 9000 } };
    const path = shop.image("gpt spans", 4 * MiB, gptImage({ ...layout, spans }));
    expect((await tableOf(path))?.partitions.map(({ number }) => number)).toEqual([1]);
  });
});
