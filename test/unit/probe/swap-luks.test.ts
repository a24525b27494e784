import { afterAll, describe, expect, test } from "bun:test";
import { expectLikeBlkid, probeFile } from "../../fixtures/superblocks/compare.ts";
import { Workshop, blkid, patch, run } from "../../fixtures/superblocks/tools.ts";
import type { Found } from "../../../src/probe/superblock.ts";
import { toBytes } from "../../../src/lib/bytes.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

async function swap(name: string): Promise<string> {
  const path = shop.sparse(`swap ${name}`, 8 * MiB);
  await run("mkswap", ["-L", "pages", path]);
  return path;
}

describe("swap", () => {
  for (const page_bytes of [4096, 8192, 16384, 32768, 65536])
    test(`of a machine with pages of ${page_bytes} bytes`, async () => {
      const path = shop.sparse(`swap ${page_bytes}`, 8 * MiB);
      await run("mkswap", ["-p", `${page_bytes}`, "-L", "swäp space", path]);
      const found = await expectLikeBlkid(path);
      expect([found.type, found.details]).toEqual(["swap", { page_bytes: `${page_bytes}` }]);
    });

  for (const signature of ["S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001"])
    test(`hibernated: ${signature}`, async () => {
      const path = await swap(signature);
      patch(path, [{ offset: 4086, bytes: toBytes(signature.padEnd(10, "\0")) }]);
      const found = await expectLikeBlkid(path);
      expect([found.type, found.label]).toEqual(["swsuspend", "pages"]);
    });

  test("hibernated by TuxOnIce, which leaves the signature of swap", async () => {
    const path = await swap("tuxonice");
    patch(path, [{ offset: 0, bytes: toBytes("\xed\xc3\x02\xe9\x98\x56\xe5\x0c") }]);
    expect((await expectLikeBlkid(path)).version).toBe("tuxonice");
  });

  test("of the other byte order", async () => {
    const path = await swap("big endian");
    patch(path, [{ offset: 1024, bytes: Uint8Array.of(0, 0, 0, 1, 0, 0, 7, 0xff) }]);
    expect((await expectLikeBlkid(path)).version).toBe("1");
  });

  test("of version 0", async () => {
    const path = await swap("old");
    patch(path, [{ offset: 4086, bytes: toBytes("SWAP-SPACE") }]);
    expect((await expectLikeBlkid(path)).version).toBe("0");
  });

  test("with junk where names would be padded", async () => {
    const path = await swap("bad pages");
    patch(path, [{ offset: 1024 + 44 + 128, bytes: Uint8Array.of(1) }]);
    expect((await expectLikeBlkid(path)).label).toBeUndefined();
  });

  test("without pages, or of a version to come, is none", async () => {
    for (const header of [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), Uint8Array.of(2, 0, 0, 0)]) {
      const path = await swap("none");
      patch(path, [{ offset: 1024, bytes: header }]);
      expect(await blkid(path)).toBeUndefined();
      expect(await probeFile(path)).toBeUndefined();
    }
  });
});

async function format(name: string, ...args: string[]): Promise<string> {
  const path = shop.sparse(`luks ${name}`, 8 * MiB);
  const quick = ["--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-"];
  await run("cryptsetup", ["luksFormat", ...quick, ...args, path], "pass");
  return path;
}

function luks2(name: string, ...args: string[]): Promise<string> {
  return format(name, "--type", "luks2", "--luks2-keyslots-size", "512k", ...args);
}

describe("LUKS", () => {
  test("version 1", async () => {
    const found = await expectLikeBlkid(await format("1", "--type", "luks1"));
    expect([found.version, found.details]).toEqual(["1", undefined]);
  });

  test("version 2 with its labels", async () => {
    const path = await luks2("2", "--label", "ge heim", "--subsystem", "under");
    const found = await expectLikeBlkid(path);
    expect([found.version, found.label, found.damaged]).toEqual(["2", "ge heim", undefined]);
    expect(found.details).toEqual({ header_offset: "0", subsystem: "under" });
  });

  test("version 2 with the largest header", async () => {
    const found = await expectLikeBlkid(await luks2("large", "--luks2-metadata-size", "2m"));
    expect(found.damaged).toBeUndefined();
  });

  test("the first header gone: the second one answers", async () => {
    const path = await luks2("gone", "--label", "second");
    patch(path, [{ offset: 0, bytes: new Uint8Array(4096) }]);
    const found = await expectLikeBlkid(path);
    expect([found.label, found.details?.["header_offset"]]).toEqual(["second", "16384"]);
    expect(found.damaged).toMatch(/^the first LUKS2 header is gone; the second is good/);
  });

  test("the first header damaged in its JSON: the second one answers, however far away it is", async () => {
    for (const [size, offset] of [
      ["16k", "16384"],
      ["1m", "1048576"],
    ] as const) {
      const path = await luks2(`json ${size}`, "--luks2-metadata-size", size);
      const { uuid } = (await probeFile(path)) as Found;
      patch(path, [{ offset: 5000, bytes: toBytes("?") }]);
      const found = await expectLikeBlkid(path);
      expect([found.uuid, found.details?.["header_offset"]]).toEqual([uuid, offset]);
      expect(found.damaged).toMatch(
        /^the first LUKS2 header is damaged \(its SHA-256 checksum does not fit\); the second/,
      );
    }
  });

  test("both headers damaged", async () => {
    const path = await luks2("both");
    patch(path, [
      { offset: 5000, bytes: toBytes("?") },
      { offset: 16384 + 5000, bytes: toBytes("?") },
    ]);
    const found = await expectLikeBlkid(path);
    expect(found.damaged).toMatch(/SHA-256 checksum does not fit\), and no second header is good$/);
  });

  test("a second header that outlived a mkfs does not hide the filesystem", async () => {
    const path = await luks2("overwritten");
    patch(path, [{ offset: 0, bytes: new Uint8Array(4096) }]);
    await run("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=1", path]);
    const found = (await probeFile(path)) as Found;
    expect(found.type).toBe("ext4");
  });
});
