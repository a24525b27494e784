import { afterAll, describe, expect, test } from "bun:test";
import { expectLikeBlkid } from "../../fixtures/superblocks/compare.ts";
import { exfatPieces, ntfsPieces } from "../../fixtures/superblocks/microsoft.ts";
import { isoDescriptors } from "../../fixtures/superblocks/optical.ts";
import { Workshop, bytesOf, patch, run } from "../../fixtures/superblocks/tools.ts";
import { text } from "../../../src/lib/bytes.ts";

const shop = new Workshop();
afterAll(() => shop.remove());

const MiB = 1024 * 1024;

describe("ext2, ext3 and ext4", () => {
  const variants: Record<string, { tool: string; args: string[]; type: string }> = {
    ext2: { tool: "mkfs.ext2", args: ["-L", "plain"], type: "ext2" },
    "ext2 without a label": { tool: "mkfs.ext2", args: [], type: "ext2" },
    ext3: { tool: "mkfs.ext3", args: ["-L", "with journal"], type: "ext3" },
    ext4: { tool: "mkfs.ext4", args: ["-L", "sixteen-letters!"], type: "ext4" },
    "ext4 without checksums": { tool: "mkfs.ext4", args: ["-O", "^metadata_csum", "-L", "/"], type: "ext4" },
    "ext4 without a journal": { tool: "mkfs.ext4", args: ["-O", "^has_journal"], type: "ext4" },
    "ext4 with old features only": {
      tool: "mkfs.ext4",
      args: ["-O", "none,has_journal,filetype,extents"],
      type: "ext4",
    },
    "ext4 with a UTF-8 label": { tool: "mkfs.ext4", args: ["-L", "Würzel ☃"], type: "ext4" },
    "ext4 with 4 KiB blocks": { tool: "mkfs.ext4", args: ["-b", "4096"], type: "ext4" },
    "an external journal": { tool: "mkfs.ext4", args: ["-O", "journal_dev", "-L", "log"], type: "jbd" },
  };
  for (const [name, { tool, args, type }] of Object.entries(variants))
    test(name, async () => {
      const path = shop.sparse(`ext ${name}`, 8 * MiB);
      await run(tool, ["-q", "-F", ...args, path]);
      const found = await expectLikeBlkid(path);
      expect(found.type).toBe(type);
      expect(found.usage).toBe(type === "jbd" ? "other" : "filesystem");
      expect(found.damaged).toBeUndefined();
    });

  test("a label is bytes, whatever they are", async () => {
    const path = shop.sparse("odd label", 8 * MiB);
    await run("mkfs.ext4", ["-q", "-F", "-O", "^metadata_csum", path]);
    patch(path, [
      { offset: 1024 + 0x78, bytes: Uint8Array.of(0xff, 0x01, 0x7f, 0x20, 0xc3, 0x28, 0x20, 0x09) },
    ]);
    expect((await expectLikeBlkid(path)).label).toBe("\xff\x01\x7f \xc3(");
  });

  test("the journal that it needs, by UUID", async () => {
    const path = shop.sparse("needs journal", 8 * MiB);
    const journal = "0f0e0d0c-0b0a-0908-0706-050403020100";
    await run("mkfs.ext4", ["-q", "-F", path]);
    await run("debugfs", ["-w", "-R", `set_super_value journal_uuid ${journal}`, path]);
    const found = await expectLikeBlkid(path);
    expect(found.details).toEqual({ ext_journal: journal });
    expect(found.damaged).toBeUndefined();
  });

  test("a filesystem marked as a test is ext4dev", async () => {
    const path = shop.sparse("ext4dev", 8 * MiB);
    await run("mkfs.ext4", ["-q", "-F", "-E", "test_fs", path]);
    expect((await expectLikeBlkid(path)).type).toBe("ext4dev");
  });
});

describe("xfs", () => {
  for (const args of [
    ["-L", "twelve bytes"],
    ["-m", "crc=0"],
    ["-s", "size=4096", "-L", "né"],
  ])
    test(args.join(" "), async () => {
      const path = shop.sparse(`xfs ${args.length} ${args[1]}`, 300 * MiB);
      await run("mkfs.xfs", ["-q", ...args, path]);
      const found = await expectLikeBlkid(path);
      expect(found.type).toBe("xfs");
      expect(found.damaged).toBeUndefined();
    });
});

describe("btrfs", () => {
  for (const checksum of ["crc32c", "xxhash", "sha256", "blake2"])
    test(`with ${checksum} checksums`, async () => {
      const path = shop.sparse(`btrfs ${checksum}`, 110 * MiB);
      await run("mkfs.btrfs", ["-q", "-L", `a ${checksum} label ☃`, "--csum", checksum, path]);
      const found = await expectLikeBlkid(path);
      expect(text(found.label ?? "")).toBe(`a ${checksum} label ☃`);
      expect(found.details).toEqual({ num_devices: "1", devid: "1" });
      expect(found.damaged).toBeUndefined();
    });

  test("of two devices: one UUID, two members", async () => {
    const paths = [shop.sparse("btrfs one", 128 * MiB), shop.sparse("btrfs two", 128 * MiB)] as const;
    await run("mkfs.btrfs", ["-q", "-d", "raid1", "-m", "raid1", ...paths]);
    const [one, two] = await Promise.all([expectLikeBlkid(paths[0]), expectLikeBlkid(paths[1])]);
    expect(one.uuid).toBe(two.uuid ?? "none");
    expect(one.uuid_sub).not.toBe(two.uuid_sub);
    expect(one.details).toEqual({ num_devices: "2", devid: "1" });
    expect(two.details).toEqual({ num_devices: "2", devid: "2" });
  });
});

describe("vfat", () => {
  const variants: Record<string, { args: string[]; size_bytes: number; version: string; label?: string }> = {
    "FAT12 on a floppy": {
      args: ["-F", "12", "-n", "FLOPPY"],
      size_bytes: 1440 * 1024,
      version: "FAT12",
      label: "FLOPPY",
    },
    "FAT12, 4 KiB sectors": { args: ["-F", "12", "-S", "4096"], size_bytes: 8 * MiB, version: "FAT12" },
    FAT16: {
      args: ["-F", "16", "-n", "ELEVENCHARS"],
      size_bytes: 16 * MiB,
      version: "FAT16",
      label: "ELEVENCHARS",
    },
    "FAT16 without a label": { args: ["-F", "16"], size_bytes: 16 * MiB, version: "FAT16" },
    FAT32: {
      args: ["-F", "32", "-n", "EFI", "-i", "0badcafe"],
      size_bytes: 40 * MiB,
      version: "FAT32",
      label: "EFI",
    },
    "FAT32 with one table": {
      args: ["-F", "32", "-f", "1", "-s", "1"],
      size_bytes: 40 * MiB,
      version: "FAT32",
    },
  };
  for (const [name, { args, size_bytes, version, label }] of Object.entries(variants))
    test(name, async () => {
      const path = shop.sparse(`vfat ${name}`, size_bytes);
      await run("mkfs.fat", [...args, path]);
      const found = await expectLikeBlkid(path);
      expect([found.type, found.version, found.label]).toEqual(["vfat", version, label]);
    });

  test("the label of the root directory, not the copy in the boot sector", async () => {
    const path = shop.sparse("vfat relabelled", 16 * MiB);
    await run("mkfs.fat", ["-F", "16", "-n", "BOTH", path]);
    patch(path, [{ offset: 0x2b, bytes: Buffer.from("BOOTSECTOR ") }]);
    expect((await expectLikeBlkid(path)).label).toBe("BOTH");
  });

  test("a FAT32 label in a later cluster, behind files and long names", async () => {
    const path = shop.sparse("vfat long root", 40 * MiB);
    await run("mkfs.fat", ["-F", "32", "-s", "1", path]);
    const boot = new DataView(bytesOf(path, 0, 512).slice().buffer);
    const tables = boot.getUint16(14, true) * 512;
    const data = tables + 2 * boot.getUint32(36, true) * 512;
    const file = Buffer.alloc(32);
    file.write("A FILE  TXT", "latin1");
    file.writeUInt16LE(5, 26);
    const longName = Buffer.alloc(32, 0x41);
    longName[11] = 0x0f;
    const label = Buffer.alloc(32);
    label.write("\x05TAIL      \x08", "latin1");
    const link = Buffer.alloc(4);
    link.writeUInt32LE(7);
    patch(path, [
      {
        offset: data,
        bytes: Buffer.concat(Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? longName : file))),
      },
      { offset: data + 5 * 512, bytes: label },
      { offset: tables + 8, bytes: link },
    ]);
    expect((await expectLikeBlkid(path)).label).toBe("\xe5TAIL");
  });
});

describe("filesystems that are only read", () => {
  test("squashfs", async () => {
    const path = `${shop.path}/squashfs`;
    await run("mksquashfs", [import.meta.dir, path, "-quiet", "-no-progress"]);
    expect(await expectLikeBlkid(path)).toEqual({ type: "squashfs", usage: "filesystem", version: "4.0" });
  });

  test("erofs", async () => {
    const path = `${shop.path}/erofs`;
    await run("mkfs.erofs", ["--quiet", path, import.meta.dir]);
    const found = await expectLikeBlkid(path);
    expect(found.type).toBe("erofs");
    expect(found.damaged).toBeUndefined();
  });

  test("ISO 9660: label and date", async () => {
    const descriptors = isoDescriptors({ label: "CDROM_1", created: "2024010203040506" });
    const found = await expectLikeBlkid(shop.image("iso", MiB, descriptors));
    expect([found.label, found.uuid]).toEqual(["CDROM_1", "2024-01-02-03-04-05-06"]);
  });

  test("ISO 9660 with Joliet: the letters of one label and the length of the other", async () => {
    const volumes = [
      { label: "CAF_ AU LAIT LONG LABEL", joliet: "Café au lait lon" },
      { label: "CAF_ AU LAIT", joliet: "something else" },
      { label: "SNOW_MAN", joliet: "snow☃man" },
      { label: "CLEF_", joliet: "clef𝄞" },
    ];
    const labels = volumes.map(async ({ label, joliet }) => {
      const volume = { label, joliet, created: "2024010203040506", modified: "2025111213141516" };
      const found = await expectLikeBlkid(shop.image(`iso ${label} ${joliet}`, MiB, isoDescriptors(volume)));
      expect([found.version, found.uuid]).toEqual(["Joliet Extension", "2025-11-12-13-14-15-16"]);
      return text(found.label ?? "");
    });
    expect(await Promise.all(labels)).toEqual([
      "Café au lait lonG LABEL",
      "something else",
      "snow☃man",
      "clef𝄞",
    ]);
  });
});

describe("f2fs", () => {
  for (const features of ["encrypt", "extra_attr,sb_checksum"])
    test(`with ${features}`, async () => {
      const path = shop.sparse(`f2fs ${features}`, 60 * MiB);
      await run("mkfs.f2fs", ["-q", "-l", "phöne 𝄞", "-O", features, path]);
      const found = await expectLikeBlkid(path);
      expect(text(found.label ?? "")).toBe("phöne 𝄞");
      expect(found.damaged).toBeUndefined();
    });
});

describe("filesystems of other systems", () => {
  test("NTFS", async () => {
    const pieces = ntfsPieces({ label: "Système", serial: 0x0123456789abcdefn });
    const found = await expectLikeBlkid(shop.image("ntfs", 8 * MiB, pieces));
    expect([text(found.label ?? ""), found.uuid]).toEqual(["Système", "0123456789ABCDEF"]);
  });

  test("exFAT, its label in the second cluster of the root directory", async () => {
    const found = await expectLikeBlkid(
      shop.image("exfat", 8 * MiB, exfatPieces({ label: "Stick ☃", serial: 0x0badcafen })),
    );
    expect([text(found.label ?? ""), found.uuid, found.version]).toEqual(["Stick ☃", "0BAD-CAFE", "1.0"]);
  });
});
