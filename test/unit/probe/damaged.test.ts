import { afterAll, describe, expect, test } from "bun:test";
import { probeFile } from "../../fixtures/superblocks/compare.ts";
import { lvmLabel } from "../../fixtures/superblocks/lvm.ts";
import { md090Place, md090Superblock, md10Place, md1Superblock } from "../../fixtures/superblocks/md.ts";
import { Workshop, bytesOf, patch, run } from "../../fixtures/superblocks/tools.ts";
import { type Found, isAmbivalent } from "../../../src/probe/superblock.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

async function found(path: string): Promise<Found> {
  const result = await probeFile(path);
  if (result === undefined || isAmbivalent(result))
    throw new Error(`the probe finds ${result?.type ?? "nothing"}`);
  return result;
}

/** Turns every bit of the byte at `offset` over. */
function spoil(path: string, offset: number): void {
  const [byte = 0] = bytesOf(path, offset, 1);
  patch(path, [{ offset, bytes: Uint8Array.of(byte ^ 0xff) }]);
}

const uuid = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

/** How to make each kind, and a byte that only the checksum protects. */
const kinds: Record<
  string,
  { size_bytes: number; make: (path: string) => Promise<unknown> | void; spoilt: number }
> = {
  ext4: { size_bytes: 8 * MiB, make: (path) => run("mkfs.ext4", ["-q", "-F", path]), spoilt: 1024 + 0x30 },
  xfs: { size_bytes: 300 * MiB, make: (path) => run("mkfs.xfs", ["-q", path]), spoilt: 0x80 },
  btrfs: { size_bytes: 110 * MiB, make: (path) => run("mkfs.btrfs", ["-q", path]), spoilt: 0x10000 + 0x48 },
  erofs: {
    size_bytes: 0,
    make: (path) => run("mkfs.erofs", ["--quiet", path, import.meta.dir]),
    spoilt: 1024 + 24,
  },
  f2fs: {
    size_bytes: 60 * MiB,
    make: (path) => run("mkfs.f2fs", ["-q", "-f", "-O", "extra_attr,sb_checksum", path]),
    spoilt: 1024 + 0x24,
  },
  LVM2_member: {
    size_bytes: 8 * MiB,
    make: (path) => {
      const label = lvmLabel({ id: "0123456789abcdefghijABCDEFGHIJ01", size_bytes: 8 * MiB, sector: 1 });
      patch(path, [{ offset: 512, bytes: label }]);
    },
    spoilt: 1000,
  },
  linux_raid_member: {
    size_bytes: 8 * MiB,
    make: (path) => {
      const offset = md10Place(8 * MiB);
      const member = {
        offset,
        uuid,
        name: "a",
        device_uuid: uuid,
        level: 1,
        raid_disks: 2,
        events: 1n,
        max_dev: 5,
      };
      patch(path, [{ offset, bytes: md1Superblock(member) }]);
    },
    spoilt: md10Place(8 * MiB) + 200,
  },
};

describe("a magic with a checksum that does not fit", () => {
  for (const [type, { size_bytes, make, spoilt }] of Object.entries(kinds))
    test(type, async () => {
      const path = shop.sparse(type, size_bytes);
      await make(path);
      const before = await found(path);
      spoil(path, spoilt);
      const after = await found(path);
      expect(before.damaged).toBeUndefined();
      expect([after.type, after.uuid]).toEqual([type, before.uuid]);
      expect(after.damaged).toMatch(/ is damaged \(checksum [0-9a-f]{8}, computed [0-9a-f]{8}\)$/);
    });

  test("md 0.90, which libblkid takes as it is and the kernel does not", async () => {
    const offset = md090Place(8 * MiB);
    const array = {
      little_endian: true,
      uuid: [1, 2, 3, 4],
      level: 1,
      raid_disks: 2,
      component_kib: 1024,
      events: 1n,
    };
    const path = shop.image("md090", 8 * MiB, [{ offset, bytes: md090Superblock(array) }]);
    spoil(path, offset + 2000);
    expect((await found(path)).damaged).toMatch(/^md superblock is damaged \(checksum/);
  });

  test("btrfs with SHA-256 checksums", async () => {
    const path = shop.sparse("btrfs sha256", 110 * MiB);
    await run("mkfs.btrfs", ["-q", "--csum", "sha256", path]);
    spoil(path, 0x10000 + 0x48);
    expect((await found(path)).damaged).toMatch(
      /^btrfs superblock is damaged \(checksum [0-9a-f]{64}, computed/,
    );
  });
});

describe("a magic with impossible contents", () => {
  test("xfs", async () => {
    const path = shop.sparse("xfs geometry", 300 * MiB);
    await run("mkfs.xfs", ["-q", path]);
    patch(path, [{ offset: 0x58, bytes: new Uint8Array(4) }]);
    expect((await found(path)).damaged).toBe("xfs superblock is damaged (its sizes contradict each other)");
  });

  test("md 1 with more roles than fit", async () => {
    const member = {
      offset: 0,
      uuid,
      name: "",
      device_uuid: uuid,
      level: 1,
      raid_disks: 2,
      events: 1n,
      max_dev: 1920,
    };
    const path = shop.image("md roles", 8 * MiB, [{ offset: 0, bytes: md1Superblock(member) }]);
    expect((await found(path)).damaged).toBeUndefined();
    patch(path, [{ offset: 220, bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) }]);
    expect((await found(path)).damaged).toBe(
      "md superblock is damaged (it has no room for 4294967295 devices)",
    );
  });
});

test("a damaged superblock does not count where a valid one is", async () => {
  const path = shop.sparse("ext4 under a damaged label", 8 * MiB);
  await run("mkfs.ext4", ["-q", "-F", path]);
  const label = lvmLabel({ id: "0123456789abcdefghijABCDEFGHIJ01", size_bytes: 8 * MiB, sector: 1 });
  patch(path, [{ offset: 512, bytes: label }]);
  spoil(path, 1000);
  expect((await found(path)).type).toBe("ext4");
});

test("a tool that is missing is named with its package", async () => {
  await expect(run("mkfs.nothing", [])).rejects.toThrow(
    "mkfs.nothing is not there: install the Debian package mkfs.nothing.",
  );
});
