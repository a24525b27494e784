import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { keptFile, keptFolder, readRecord, unused_ms, writeRecord } from "../../../qemu/cache.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

const cache = temporaryDirectory();
const before = process.env["RDINIT_CACHE"];
beforeEach(() => {
  process.env["RDINIT_CACHE"] = cache;
});
afterEach(() => {
  if (before === undefined) delete process.env["RDINIT_CACHE"];
  else process.env["RDINIT_CACHE"] = before;
});

const [now, older] = ["0123456789abcdef", "fedcba9876543210"];

/** A folder of the cache that was used this long ago. */
function folder(name: string, age_ms: number): string {
  const path = join(cache, name);
  mkdirSync(path);
  const at = new Date(Date.now() - age_ms);
  utimesSync(path, at, at);
  return path;
}

test("a folder is made once", async () => {
  let made = 0;
  const make = async (half: string): Promise<void> => {
    made++;
    writeFileSync(join(half, "disk"), "content");
  };
  const [first, second] = await Promise.all([keptFolder("once", now, make), keptFolder("once", now, make)]);
  expect(first).toBe(second);
  expect(readFileSync(join(first, "disk"), "utf8")).toBe("content");
  expect(made).toBe(1);
});

test("nothing is left of one that can't be made", async () => {
  const failing = keptFolder("never", now, () => Promise.reject(new Error("no disk today")));
  expect(failing).rejects.toThrow("no disk today");
  expect(readdirSync(cache).filter((name) => name.startsWith("never-"))).toEqual([]);
});

test("of the same name only what was used lately stays", async () => {
  const unused = folder(`disks-${older}`, unused_ms + 60_000);
  const cutShort = folder(`disks-${older.replace("f", "0")}.part`, unused_ms + 60_000);
  const fresh = folder(`disks-${older.replace("e", "0")}`, unused_ms - 60_000);
  const another = folder(`disks-thin-${older}`, unused_ms + 60_000);
  await keptFolder("disks", now, async () => {});
  expect([unused, cutShort, fresh, another].map((path) => existsSync(path))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("asking for a folder is a use of it", async () => {
  const dir = await keptFolder("asked", older, async () => {});
  const at = new Date(Date.now() - unused_ms - 60_000);
  utimesSync(dir, at, at);
  await keptFolder("asked", older, async () => {});
  await keptFolder("asked", now, async () => {});
  expect(existsSync(dir)).toBe(true);
});

test("a file is kept in a folder of its own, by what it was made from", async () => {
  let made = 0;
  const make = async (half: string): Promise<void> => writeFileSync(half, String(++made));
  const file = await keptFile("tree.squashfs", "packages", make);
  expect(basename(file)).toBe("tree.squashfs");
  expect(await keptFile("tree.squashfs", "packages", make)).toBe(file);
  const other = await keptFile("tree.squashfs", "other packages", make);
  expect([file, other].map((path) => readFileSync(path, "utf8"))).toEqual(["1", "2"]);
});

test("a record that was asked for before it was there is found when it is", () => {
  const file = join(cache, "record.json");
  expect(readRecord(file)).toBeUndefined();
  writeRecord(file, { version: "6.1" });
  expect(readRecord<{ version: string }>(file)).toEqual({ version: "6.1" });
});
