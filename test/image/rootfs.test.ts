/** ArchiveTree against a kernel: what it says of an image is what the kernel makes of it, quirks included. */

import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, TEST_MS } from "../../qemu/scenario.ts";
import { readImage } from "../../src/image/archive.ts";
import { ArchiveTree, type ArchiveEntry } from "../../src/image/archive-tree.ts";
import { TYPE_BITS } from "../../src/image/cpio.ts";
import { compressed, COMPRESSORS } from "../fixtures/compress.ts";
import { RAW_TRAILER, rawEntry } from "../fixtures/newc.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

/** What there is below /t: type and mode, owner, size and time; what symlinks say; what is in files. */
const SCRIPT = `#!/bin/busybox sh
busybox dmesg -n 1
busybox find /t -exec busybox stat -c 'stat %n|%f|%u:%g|%s|%Y|%t:%T|%h' {} +
busybox find /t -type l -exec busybox sh -c 'for l; do echo "link $l|$(busybox readlink "$l")"; done' sh {} +
busybox find /t -type f -exec busybox md5sum {} +
echo the end
busybox poweroff -f
`;

const COMPRESSIONS = ["none", ...Object.keys(COMPRESSORS)] as (keyof typeof COMPRESSORS | "none")[];
const CASES = 400;

const LATEST = 9;
const OF_THE_BOOT = "of the boot";

/** Entries below one directory that get into each other's way. */
const common = {
  mode: fc.constantFrom(0o644, 0o4755, 0o1700),
  uid: fc.nat(3),
  gid: fc.nat(3),
  mtime: fc.integer({ min: 1, max: LATEST }),
};
const place = ["a", "b", "a/b", "a/b/c", "b/a", "a//b", "./a", "c/"];
const alone = fc.record({
  ...common,
  name: fc.constantFrom(...place, "a/../b"),
  type: fc.constantFrom(
    TYPE_BITS.file,
    TYPE_BITS.symlink,
    TYPE_BITS.char,
    TYPE_BITS.block,
    TYPE_BITS.fifo,
    TYPE_BITS.socket,
  ),
  data: fc.constantFrom("", "a", "b", "..", "a/b", "/t"),
  rdev: fc.constantFrom([1, 3] as const, [259, 70_000] as const),
});
// Not "a/../b": if `a` is no directory in the end, that one's time can't be set any more.
const directory = fc.record({
  ...common,
  name: fc.constantFrom(...place),
  type: fc.constant(TYPE_BITS.directory),
});
// The names of linked files are never another type: then the kernel would write to devices and through symlinks.
const linkedFile = fc.record({
  ...common,
  name: fc.constantFrom("h1", "h2", "a/h3", "b/h4"),
  type: fc.constant(TYPE_BITS.file),
  nlink: fc.constantFrom(2, 3),
  ino: fc.constantFrom("00000001", "00000002"),
  data: fc.constantFrom("", "one", "two"),
});
const linkedNode = fc.record({
  ...common,
  name: fc.constantFrom("n1", "a/n2"),
  type: fc.constantFrom(TYPE_BITS.char, TYPE_BITS.fifo),
  nlink: fc.constant(2),
  ino: fc.constantFrom("00000001", "00000002"),
  rdev: fc.constantFrom([1, 3] as const, [1, 5] as const),
});
const linked = fc.oneof(linkedFile, linkedFile, linkedNode);
const own = fc.record({
  ...common,
  name: fc.constantFrom(".", "..", "a/.", "a/.."),
  type: fc.constant(TYPE_BITS.directory),
});
const entry = fc.oneof(
  { weight: 5, arbitrary: alone },
  { weight: 3, arbitrary: directory },
  { weight: 3, arbitrary: linked },
  { weight: 1, arbitrary: own },
);
const trailer = fc.constant("trailer" as const);
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;
const scenario = fc.array(fc.oneof({ weight: 12, arbitrary: entry }, { weight: 1, arbitrary: trailer }), {
  minLength: 2,
  maxLength: 14,
});

/** A directory of their own for these entries. */
function scenarioBytes(list: readonly (Entry | "trailer")[], at: number): string {
  const entries = list.map((one) => {
    if (one === "trailer") return RAW_TRAILER;
    const { type, mode, name, ...rest } = one;
    const isWithData = type === TYPE_BITS.file || type === TYPE_BITS.symlink;
    return rawEntry({
      ...rest,
      data: isWithData && "data" in rest ? rest.data : "",
      name: `t/${at}/${name}`,
      mode: type | mode,
    });
  });
  return `${rawEntry({ name: `t/${at}`, mode: 0o40755, nlink: 2 })}${entries.join("")}${RAW_TRAILER}`;
}

/** The lines that the script would print for what the tree has. */
function expected(entries: readonly ArchiveEntry[]): string[] {
  const links = Map.groupBy(entries, ({ node }) => node);
  return entries.flatMap(({ path, node }) => {
    const { type, mode, uid, gid, data, target, mtime, rdev } = node;
    const bits = TYPE_BITS[type] | mode;
    const [major = "0", minor = "0"] = rdev.split(":");
    const device = type === "char" || type === "block" ? `${hex(major)}:${hex(minor)}` : "0:0";
    const size = target?.length ?? data.length;
    // How many names and bytes a directory has is its filesystem's business.
    const rest = type === "directory" ? mtime : `${size}|${mtime}|${device}|${links.get(node)?.length}`;
    const lines = [`stat ${path}|${bits.toString(16)}|${uid}:${gid}|${rest}`];
    if (target !== undefined) lines.push(`link ${path}|${target}`);
    if (type === "file") lines.push(`${new Bun.CryptoHasher("md5").update(data).digest("hex")}  ${path}`);
    return lines;
  });
}

/** What the script printed, in the same words. */
function seen(console: string): string[] {
  const lines = console.split("\n").filter((line) => /^(stat|link) \/t|^[0-9a-f]{32} {2}\/t/.test(line));
  return lines.map((line) => {
    if (!line.startsWith("stat ")) return line;
    const [name, bits = "", owner, size, mtime, device, links] = line.split("|");
    const isDirectory = (Number.parseInt(bits, 16) & 0o170000) === TYPE_BITS.directory;
    const time = Number(mtime) > LATEST ? OF_THE_BOOT : mtime;
    return [name, bits, owner, isDirectory ? time : [size, mtime, device, links].join("|")].join("|");
  });
}

function hex(decimal: string): string {
  return Number(decimal).toString(16);
}

function withoutTime(line: string): string {
  return line.slice(0, line.lastIndexOf("|"));
}

test(
  "400 heaps of entries that get into each other's way, in segments of every compression",
  async () => {
    const base = [
      { name: "t", mode: 0o40755 },
      { name: "bin", mode: 0o40755 },
      { name: "bin/busybox", mode: 0o100755, data: readFileSync("/bin/busybox", "latin1") },
      { name: "init", mode: 0o100755, data: SCRIPT },
    ];
    const scenarios = fc.sample(scenario, { numRuns: CASES, seed: 4096 });
    const parts = [Buffer.from(base.map((one) => rawEntry(one)).join("") + RAW_TRAILER, "latin1")];
    const perSegment = Math.ceil(CASES / COMPRESSIONS.length);
    for (const [index, compression] of COMPRESSIONS.entries()) {
      const some = scenarios.slice(index * perSegment, (index + 1) * perSegment);
      const bytes = some.map((list, at) => scenarioBytes(list, index * perSegment + at)).join("");
      const packed = compressed(compression, Buffer.from(bytes, "latin1"));
      parts.push(Buffer.from(packed), Buffer.alloc((-packed.length & 3) + (compression === "lz4" ? 4 : 0)));
    }
    const image = Buffer.concat(parts);
    const initrd = join(temporaryDirectory(), "initrd");
    writeFileSync(initrd, image);

    const archive = readImage(image);
    expect(archive.damage).toBeUndefined();
    const tree = new ArchiveTree(archive, "initrd");
    const { vmlinuz } = await stockKernel();
    await using machine = await startMachine({
      name: "image-rootfs",
      kernel: vmlinuz,
      initrd,
      append: "quiet rdinit=/init panic=-1",
      timeout_ms: MACHINE_MS,
    });
    await machine.console.expect("the end\n", MACHINE_MS);
    await machine.expectEnd("powered off");
    const got = seen(machine.console.text);
    // Some directories' own names do not lead to them any more when the kernel comes to set their times.
    const timeless = new Set(got.filter((line) => line.endsWith(OF_THE_BOOT)).map(withoutTime));
    expect(timeless.size).toBeLessThan(5);
    const wanted = expected(tree.entries().filter(({ path }) => path === "/t" || path.startsWith("/t/")));
    const comparable = wanted.map((line) =>
      timeless.has(withoutTime(line)) ? `${withoutTime(line)}|${OF_THE_BOOT}` : line,
    );
    expect(got.sort()).toEqual(comparable.sort());
  },
  TEST_MS,
);
