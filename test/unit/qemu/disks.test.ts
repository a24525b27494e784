import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDisk } from "../../../qemu/disks.ts";
import type { DiskRecipe, FilesystemType } from "../../../qemu/disks.ts";
import { run } from "../../../qemu/host.ts";
import { packInitramfs } from "../../../qemu/tree.ts";
import type { Tree } from "../../../qemu/tree.ts";

const UUID = "6d1f3a52-0b5e-4c0a-9a63-0f3d5b1c7e21";
const TREE: Tree = [
  { path: "/etc/name", kind: "text", text: "the tree\n", mode: 0o640 },
  { path: "/empty", kind: "dir", mode: 0o700 },
];
const LINKED: Tree = [...TREE, { path: "/link", kind: "link", target: "etc/name" }];

/** What blkid must say of each type, made with the label "boottest" and the UUID above where it has them. */
const EXPECTED: Readonly<
  Record<FilesystemType, { recipe: Partial<DiskRecipe>; blkid: Record<string, string> }>
> = {
  ext4: { recipe: { uuid: UUID, label: "boottest" }, blkid: { TYPE: "ext4", UUID, LABEL: "boottest" } },
  xfs: {
    recipe: { uuid: UUID, label: "boottest", size_mb: 320 },
    blkid: { TYPE: "xfs", UUID, LABEL: "boottest" },
  },
  btrfs: {
    recipe: { uuid: UUID, label: "boottest", size_mb: 128 },
    blkid: { TYPE: "btrfs", UUID, LABEL: "boottest" },
  },
  f2fs: { recipe: { uuid: UUID, label: "boottest" }, blkid: { TYPE: "f2fs", UUID, LABEL: "boottest" } },
  vfat: {
    recipe: { uuid: "1234-ABCD", label: "BOOTTEST", tree: TREE },
    blkid: { TYPE: "vfat", UUID: "1234-ABCD", LABEL: "BOOTTEST" },
  },
  squashfs: { recipe: {}, blkid: { TYPE: "squashfs" } },
  erofs: { recipe: { uuid: UUID }, blkid: { TYPE: "erofs", UUID } },
};

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "rdinit-disks-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function blkid(...argv: readonly string[]): Promise<Record<string, string>> {
  const lines = (await run(["blkid", "-p", "-o", "export", ...argv])).split("\n");
  return Object.fromEntries(lines.map((line) => line.split("=") as [string, string]));
}

describe("makeDisk", () => {
  for (const [type, { recipe, blkid: expected }] of Object.entries(EXPECTED))
    test(type, async () => {
      const file = join(dir, type);
      await makeDisk({ file, type: type as FilesystemType, tree: LINKED, ...recipe });
      expect(await blkid(file)).toMatchObject(expected);
    });

  test("ext4 holds the tree, and is the same each time", async () => {
    const digest = async (name: string) => {
      const file = join(dir, name);
      await makeDisk({ file, type: "ext4", tree: LINKED, uuid: UUID });
      return createHash("sha256").update(readFileSync(file)).digest("hex");
    };
    const first = await digest("first");
    // Times have whole seconds: the second one shall not bear the first one's by chance.
    await Bun.sleep(1001);
    expect(await digest("second")).toBe(first);
    expect(await run(["debugfs", "-R", "cat /etc/name", join(dir, "first")])).toBe("the tree\n");
    expect(await run(["debugfs", "-R", "stat /empty", join(dir, "first")])).toContain("Mode:  0700");
    expect(await run(["debugfs", "-R", "stat /link", join(dir, "first")])).toContain('"etc/name"');
  });

  test("a gpt partition has its identifiers and the file system", async () => {
    const file = join(dir, "gpt");
    const partition = {
      table: "gpt",
      disk_id: "0b8e34c4-6c8a-4a3c-8a0f-6a7a3b0c1d2e",
      uuid: "5f2c1d8e-93b4-4f21-8c77-1e2d3c4b5a69",
      name: "the root",
      number: 3,
    } as const;
    await makeDisk({ file, type: "ext4", tree: TREE, uuid: UUID, partition });
    const table = (await run(["sfdisk", "-d", file])).toLowerCase();
    expect(table).toContain(`label-id: ${partition.disk_id}`);
    expect(table).toMatch(/gpt3 : start= +2048, size= +131072/);
    expect(table).toContain(`uuid=${partition.uuid}, name="the root"`);
    expect(await blkid("-O", String(1 << 20), file)).toMatchObject({ TYPE: "ext4", UUID });
  });

  test("a dos partition has the disk's identifier", async () => {
    const file = join(dir, "dos");
    await makeDisk({ file, type: "squashfs", tree: TREE, partition: { table: "dos", disk_id: "1a2b3c4d" } });
    expect(await run(["sfdisk", "-d", file])).toContain("label-id: 0x1a2b3c4d");
    expect(await blkid("-O", String(1 << 20), file)).toMatchObject({ TYPE: "squashfs" });
  });
});

test("packInitramfs writes names in order, and the same bytes each time", async () => {
  const [first, second] = [join(dir, "a.cpio"), join(dir, "b.cpio")];
  await packInitramfs(LINKED, first);
  await packInitramfs(LINKED, second);
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  const listed = await run(["cpio", "-t", "--quiet", "-I", first]);
  expect(listed.trimEnd().split("\n")).toEqual(["empty", "etc", "etc/name", "link"]);
});
