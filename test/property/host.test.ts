import { expect, test } from "bun:test";
import fc from "fast-check";
import { allLayers, describeLayer, examineDevice, examineHost } from "../../src/image/host/examine.ts";
import { mountAt, mountOf, parseMountinfo } from "../../src/image/host/mountinfo.ts";
import { UserError } from "../../src/lib/errors.ts";
import { readListing } from "../fixtures/machines/load.ts";
import { MemoryTree } from "../fixtures/memory-tree.ts";

const bytes = fc
  .string({ unit: "binary", maxLength: 30 })
  .map((text) => Buffer.from(text).toString("latin1"));
const path = bytes.map((name) => `/${name.replaceAll("\0", "")}`);

// As seq_path() of the kernel writes them.
function escaped(text: string): string {
  return text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

test("mounts are read as the kernel writes them, whatever their names are", () => {
  const mount = fc.record({
    point: path,
    source: path,
    optional: fc.subarray(["shared:1", "master:2", "unbindable"]),
  });
  fc.assert(
    fc.property(fc.array(mount, { maxLength: 8 }), path, (mounts, where) => {
      const lines = mounts.map(
        ({ point, source, optional }, at) =>
          `${at + 2} 1 8:${at} / ${[escaped(point), "rw", ...optional].join(" ")} - ext4 ${escaped(source)} rw\n`,
      );
      const parsed = parseMountinfo(lines.join(""));
      expect(parsed.map(({ point, source, rdev }) => ({ point, source, rdev }))).toEqual(
        mounts.map(({ point, source }, at) => ({ point, source, rdev: `8:${at}` })),
      );
      for (const { point } of mounts) expect(mountAt(parsed, point)?.point).toBe(point);
      const below = mountOf(parsed, where);
      if (below && below.point !== "/") expect(`${where}/`).toStartWith(`${below.point}/`);
    }),
  );
});

test("any text of mountinfo gives an answer or a sentence", () => {
  const word = fc.oneof(
    bytes,
    fc.constantFrom("/", "-", "8:0", "0:1", "ext4", "overlay", "btrfs", "lowerdir=/x", "nfs"),
  );
  const text = fc
    .array(word, { maxLength: 60 })
    .chain((words) =>
      fc
        .array(fc.constantFrom(" ", "\n"), { minLength: words.length, maxLength: words.length })
        .map((ends) => words.map((one, at) => one + (ends[at] ?? "")).join("")),
    );
  const listing = readListing();
  fc.assert(
    fc.property(text, (mountinfo) => {
      const root = new MemoryTree({
        ...listing,
        "proc/self/mountinfo": `30 1 8:0 / / rw - ext4 /dev/sda rw\n${mountinfo}`,
      });
      try {
        for (const layer of examineHost(root, ["/", "/usr", "/x"]).layers) describeLayer(layer);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 50 },
  );
});

test("devices that stand on each other in any way come to an end, each once", () => {
  const COUNT = 12;
  const device = fc.record({
    slaves: fc.array(fc.nat(COUNT - 1), { maxLength: 4 }),
    file: fc.constantFrom("dm/name", "md/level", "partition", "loop/backing_file", "size"),
    text: bytes,
    uuid: fc.oneof(bytes, fc.constantFrom("LVM-x", "CRYPT-LUKS2-y", "mpath-z", "part1-mpath-z")),
  });
  fc.assert(
    fc.property(fc.array(device, { minLength: COUNT, maxLength: COUNT }), (devices) => {
      const files: Record<string, string> = {
        "proc/self/mountinfo": "1 1 7:1 / / rw - ext4 /dev/loop1 rw\n",
      };
      for (const [at, { slaves, file, text, uuid }] of devices.entries()) {
        const name = `${file.startsWith("loop") ? "loop" : "dm-"}${at}`;
        const place = `sys/devices/virtual/block/${name}`;
        files[`sys/dev/block/7:${at}`] = `-> ../../devices/virtual/block/${name}`;
        files[`${place}/dev`] = `7:${at}\n`;
        files[`${place}/${file}`] = text;
        files[`${place}/dm/uuid`] = uuid;
        for (const slave of slaves) files[`${place}/slaves/s${slave}`] = `-> /sys/dev/block/7:${slave}`;
      }
      const { layers, part } = examineDevice(new MemoryTree(files), "7:0");
      const nodes = allLayers(layers)
        .map(({ rdev }) => rdev)
        .filter((rdev) => rdev !== undefined);
      expect(new Set(nodes).size).toBe(nodes.length);
      expect(layers.map(describeLayer).join()).not.toBe("");
      expect(new Set(part.modules).size).toBe(part.modules?.length ?? 0);
    }),
    { numRuns: 300 },
  );
});
