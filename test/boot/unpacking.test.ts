/**
 * Archives as nobody would pack them, unpacked by the kernel and read here: both have to come to the same files. Names
 * come twice and in changing types, through symlinks, with `..` and too many slashes; hard links find their first name
 * gone, and inode numbers are used again behind a trailer or without one.
 */

import { readFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readImage } from "../../src/image/archive.ts";
import { ArchiveTree } from "../../src/image/archive-tree.ts";
import { TYPE_BITS } from "../../src/image/cpio.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, TEST_MS } from "../../qemu/scenario.ts";
import { RAW_TRAILER, type RawEntry, rawEntry } from "../fixtures/newc.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const SCENES = 250;
/** Times of entries are before this; the kernel gives its own to a directory whose name leads nowhere in the end. */
const LATEST = 2 ** 30;
const DIRECTORY = 0o40755;

const INIT = `#!/busybox sh
/busybox find /t -exec /busybox stat -c '%n|%f|%u|%g|%s|%t:%T|%Y|%i|%N' {} +
/busybox find /t -type f -exec /busybox md5sum {} +
echo LISTED
/busybox poweroff -f
`;

/** Numbers that look like chance and are the same each time (Numerical Recipes' generator). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const roll = dice(9);
const one = <T>(of: readonly T[]): T => of[roll(of.length)] as T;

/** A name in the folder of a scene, `top`, in one of many spellings. */
function name(top: string): string {
  const path = one(["a", "b", "c", "a/x", "b/x", "a/b/c", "c/./y", "b/../z", "a//w", "a/", "b/.", "c/.."]);
  return one([`${top}/${path}`, `${top}/${path}`, `/${top}/${path}`, `./${top}//${path}`]);
}

function entry(top: string): RawEntry {
  const common = { name: name(top), uid: roll(3), gid: roll(3) * 1000, mtime: 1 + roll(LATEST - 1) };
  const named = roll(8) === 0 ? { ...common, nameSize: common.name.length + 1 + roll(40) } : common;
  const linked = roll(3) === 0 ? { nlink: 2, ino: `0000000${1 + roll(4)}` } : { ino: "00ffffff" };
  const text = one(["", "x", "four", "some more data"]).repeat(1 + roll(3));
  switch (roll(7)) {
    case 0:
    case 1:
      return { ...named, ...linked, mode: 0o100000 | one([0o644, 0o4755, 0o600]), data: text };
    case 2:
      return { ...named, ...linked, magic: "070702", mode: 0o100644, data: text, check: sum(text) };
    case 3:
      return { ...named, mode: 0o40000 | one([0o755, 0o1777, 0o2750]), nlink: 1 + roll(3), ino: "00eeeeee" };
    case 4:
      return { ...named, mode: 0o120777, data: one(["a", "b", "../b", `/${top}/c`, "nowhere", ".", "a\0b"]) };
    case 5:
      return { ...named, ...linked, mode: 0o140600 };
    default:
      // Not there, and no FIFO: the kernel writes the data of a file to what has taken its first name. For another major
      // number it would ask for a module, which waits for the unpacking.
      return { ...named, ...linked, mode: 0o20600, rdev: [1, one([2, 6, 10, 200])] };
  }
}

function sum(text: string): number {
  return [...text].reduce((total, letter) => total + letter.charCodeAt(0), 0);
}

function scene(at: number): string {
  const top = `t/s${at}`;
  // Below what is no directory nothing can be.
  const first = ["a", "b", "c"].filter(() => roll(2) === 0).map((path) => ({ name: `${top}/${path}` }));
  const made = first.map((directory) => rawEntry({ ...directory, mode: DIRECTORY, mtime: 6 }));
  const entries = [...made, ...Array.from({ length: 3 + roll(9) }, () => rawEntry(entry(top)))];
  const end = one(["", RAW_TRAILER, RAW_TRAILER + "\0".repeat(4 * roll(100))]);
  return rawEntry({ name: top, mode: DIRECTORY, mtime: 5 }) + entries.join("") + end;
}

/** What the kernel made of it, a line for each name below /t; of hard links the inode is the first of their names. */
function asListed(console: string): string[] {
  const lines = console.split("\n");
  const sums = new Map<string, string>();
  for (const line of lines) {
    const [, digest = "", path = ""] = /^([0-9a-f]{32}) {2}(\/t.*)$/.exec(line) ?? [];
    if (digest !== "") sums.set(path, digest);
  }
  const firsts = new Map<string, string>();
  const rows = lines.flatMap((line) => {
    const [path = "", mode = "", uid, gid, size, rdev, mtime, inode = "", quoted = ""] = line.split("|");
    if (!path.startsWith("/t") || quoted === "") return [];
    const bits = Number.parseInt(mode, 16);
    return [{ path, bits, uid, gid, size, rdev, mtime, inode, target: / -> '(.*)'$/.exec(quoted)?.[1] }];
  });
  for (const { path, inode } of rows.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    firsts.set(inode, firsts.get(inode) ?? path);
  return rows
    .map(({ path, bits, uid, gid, rdev = "", mtime, inode, target }) => {
      const isNode = (bits & 0o170000) === TYPE_BITS.char;
      const numbers = isNode ? rdev.split(":").map((part) => Number.parseInt(part, 16)) : [0, 0];
      const time = isUnset(mtime) ? "-" : mtime;
      const what = [bits.toString(8), uid, gid, numbers.join(":"), time, firsts.get(inode)];
      return [path, ...what, target ?? "", sums.get(path) ?? ""].join(" ");
    })
    .sort();
}

function isUnset(mtime: string | undefined): boolean {
  return Number(mtime) > LATEST;
}

/** The paths whose time the kernel has not set. */
function unset(console: string): Set<string> {
  const rows = console.split("\n").map((line) => line.split("|"));
  return new Set(rows.flatMap(([path = "", , , , , , mtime]) => (isUnset(mtime) ? [path] : [])));
}

/** The same of what is read here. */
function asRead(tree: ArchiveTree, timeless: ReadonlySet<string>): string[] {
  const firsts = new Map<object, string>();
  return tree
    .entries()
    .filter(({ path }) => path === "/t" || path.startsWith("/t/"))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, node }) => {
      firsts.set(node, firsts.get(node) ?? path);
      const bits = (TYPE_BITS[node.type] | node.mode).toString(8);
      const rdev = node.type === "char" ? node.rdev : "0:0";
      const what = [bits, node.uid, node.gid, rdev, timeless.has(path) ? "-" : node.mtime];
      const more = [firsts.get(node), node.target ?? "", node.type === "file" ? md5(node.data) : ""];
      return [path, ...what, ...more].join(" ");
    })
    .sort();
}

function md5(data: Uint8Array): string {
  return new Bun.CryptoHasher("md5").update(data).digest("hex");
}

test(
  "the kernel and rdinit come to the same files",
  async () => {
    const own = [
      { name: "dev", mode: DIRECTORY },
      { name: "dev/console", mode: 0o20600, rdev: [5, 1] as const },
      { name: "busybox", mode: 0o100755, data: readFileSync(staticBusybox(), "latin1") },
      { name: "init", mode: 0o100755, data: INIT },
      { name: "t", mode: DIRECTORY, mtime: 5 },
    ];
    const scenes = Array.from({ length: SCENES }, (_, at) => scene(at));
    const image = Buffer.from(own.map(rawEntry).join("") + RAW_TRAILER + scenes.join(""), "latin1");
    const archive = readImage(image);
    expect(archive.damage).toBeUndefined();
    const initrd = join(temporaryDirectory(), "strange.cpio");
    await Bun.write(initrd, image);
    const machine = await startMachine({
      name: "unpacking",
      kernel: (await builtinKernel()).vmlinuz,
      initrd,
      append: "quiet panic=-1",
      timeout_ms: MACHINE_MS,
    });
    await machine.console.expect("LISTED", MACHINE_MS);
    await machine.expectEnd("powered off");
    const listed = asListed(machine.console.text);
    expect(listed.length).toBeGreaterThan(4 * SCENES);
    const read = asRead(new ArchiveTree(archive, "strange.cpio"), unset(machine.console.text));
    expect(read).toEqual(listed);
  },
  TEST_MS,
);
