import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCpio, type CpioMember } from "../../../src/image/cpio-reader.ts";
import { writeCpio, type CpioEntry } from "../../../src/image/cpio.ts";
import { RAW_TRAILER as trailer, rawEntry as raw } from "../../fixtures/newc.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

function read(archive: string | Uint8Array): CpioMember[] {
  return [...readCpio(typeof archive === "string" ? Buffer.from(archive, "latin1") : archive)];
}

function bytesOf(entries: readonly CpioEntry[], multiple?: number): Uint8Array {
  return Buffer.concat([...writeCpio(entries, multiple)]);
}

const file = (path: string, data: string): Extract<CpioEntry, { type: "file" }> => ({
  type: "file",
  path,
  mode: 0o644,
  data: Buffer.from(data),
});

describe("readCpio, as init/initramfs_test.c has it", () => {
  test("a file and a directory", () => {
    const members = read(
      raw({ name: "dir", mode: 0o40755, nlink: 2 }) + raw({ name: "dir/file", data: "ASDF\n" }) + trailer,
    );
    expect(members.map(({ path, type, mode, mtime }) => [path, type, mode, mtime])).toEqual([
      ["dir", "directory", 0o755, 7],
      ["dir/file", "file", 0o644, 7],
    ]);
    expect(Buffer.from(members[1]?.data ?? []).toString()).toBe("ASDF\n");
  });
  test("a name without NUL is refused", () => {
    expect(() => read(raw({ name: "overrun", nameSize: 7 }) + trailer)).toThrow(
      "a name does not end with NUL",
    );
  });
  test("a checksum must be right", () => {
    const sum = [..."ASDF"].reduce((total, char) => total + char.charCodeAt(0), 0);
    const good = raw({ magic: "070702", name: "good", data: "ASDF", check: sum });
    expect(read(good).length).toBe(1);
    // Where the magic does not say that there is one, it does not count.
    expect(read(good + raw({ name: "none", data: "ASDF", check: 5555 })).length).toBe(2);
    expect(() => read(good + raw({ magic: "070702", name: "bad", data: "ASDF", check: sum + 1 }))).toThrow(
      'The archive is damaged after the entry "good" (at byte 120): the data of "bad" do not agree with their checksum.',
    );
  });
  test("hard links have their data in the last", () => {
    const members = read(
      raw({ name: "one", nlink: 2, ino: "0000abcd" }) +
        raw({ name: "two", nlink: 2, ino: "0000ABCD", data: "ASDF" }) +
        trailer,
    );
    expect(members.map(({ ino, nlink, data }) => [ino, nlink, data.length])).toEqual([
      [0xabcd, 2, 0],
      [0xabcd, 2, 4],
    ]);
  });
  test("a thousand files", () => {
    const names = Array.from({ length: 1000 }, (_, at) => `file-${at}`);
    const members = read(names.map((name) => raw({ name, data: name })).join("") + trailer);
    expect(members.map(({ path }) => path)).toEqual(names);
  });
  test("a name may be padded, so that its data begin where one likes", () => {
    const members = read(raw({ name: "padded", nameSize: 4096 - 110, data: "ASDF" }) + trailer);
    expect(members[0]?.path).toBe("padded");
    expect(members[0]?.data.byteOffset).toBe(4096);
  });
  test("a name of PATH_MAX bytes is taken, a longer one passed over", () => {
    const longest = "x".repeat(4095);
    expect(read(raw({ name: longest }) + raw({ name: `${longest}y` }) + raw({ name: "z" }))).toMatchObject([
      { path: longest },
      { path: "z" },
    ]);
  });
  test("a directory's name of PATH_MAX slashes is taken, a longer one passed over with its data", () => {
    const long = raw({
      name: "fname".padEnd(4096, "/"),
      mode: 0o40777,
      data: "this file data will not be unpacked",
    });
    const members = read(long + raw({ name: "fname".padEnd(4095, "/"), mode: 0o40777 }));
    expect(members.map(({ path, type }) => [path.length, type])).toEqual([[4095, "directory"]]);
  });
  test("a number with 0x in front is refused", () => {
    expect(() => read(raw({ name: "x", ino: "0x000001" }))).toThrow("something else than hexadecimal digits");
    const good = raw({ name: "hex", uid: 0x123456, gid: 0x123457, data: "data" });
    expect(read(good)[0]).toMatchObject({ uid: 0x123456, gid: 0x123457 });
    for (const [from, to] of [
      ["00123456", "0x123456"],
      ["00123457", "0X123457"],
      ["00000004000000", "0x000004000000"],
    ] as const)
      expect(() => read(good.replace(from, to))).toThrow("something else than hexadecimal digits");
  });
});

describe("readCpio", () => {
  test("archives may follow each other, with zeros between", () => {
    const one = raw({ name: "one", data: "1" });
    expect(read(`${one}${trailer}${"\0".repeat(1000)}${one}${trailer}`).length).toBe(2);
    expect(read("")).toEqual([]);
    expect(read("\0".repeat(512))).toEqual([]);
  });
  test("what else follows is named", () => {
    const one = raw({ name: "one", data: "1" });
    expect(() => read(`${one}junk`)).toThrow("what follows is neither an archive nor zeros");
    expect(() => read(`${one}\0${one}`)).toThrow("an entry begins at an odd place");
    expect(() => read(`${one}${raw({ name: "x", magic: "070707" })}`)).toThrow(
      '"-H newc" makes the right one',
    );
    expect(() => read(raw({ name: "x", magic: "070799" }))).toThrow("before its first entry");
  });
  test("a cut archive yields what is whole, and says where it ends", () => {
    const whole = raw({ name: "one", data: "12345678" }) + raw({ name: "two", data: "12345678" });
    const seen: string[] = [];
    const cutData = () => {
      for (const { path } of readCpio(Buffer.from(whole.slice(0, -4)))) seen.push(path);
    };
    expect(cutData).toThrow('damaged after the entry "one" (at byte 124): it ends inside the entry "two".');
    expect(seen).toEqual(["one"]);
    expect(() => read(whole.slice(0, 200))).toThrow(
      'after the entry "one" (at byte 124): it ends inside a header.',
    );
  });
  test("a file may be called like the trailer when it is a symlink, and nothing else", () => {
    const name = "TRAILER!!!";
    const members = read(
      raw({ name, mode: 0o120777, data: "x" }) + raw({ name, data: "x" }) + raw({ name: "y" }),
    );
    expect(members.map(({ path, archive }) => [path, archive])).toEqual([
      [name, 0],
      ["y", 1],
    ]);
  });
  test("what the kernel passes over is passed over", () => {
    const skipped = [
      raw({ name: "dir", mode: 0o40755, data: "why" }),
      raw({ name: "link", mode: 0o120777, data: "x".repeat(4097) }),
      raw({ name: "", nameSize: 0 }),
      raw({ name: "typeless", mode: 0o644 }),
    ];
    expect(read(skipped.join("") + raw({ name: "last" })).map(({ path }) => path)).toEqual(["last"]);
  });
});

describe("writeCpio", () => {
  const entries: CpioEntry[] = [
    { type: "directory", path: "d", mode: 0o755, mtime: 1_700_000_000 },
    { type: "file", path: "d/f", mode: 0o4755, uid: 1, gid: 2, data: Buffer.from("hello") },
    { type: "symlink", path: "d/s", mode: 0o777, target: "../d/f" },
    { type: "char", path: "console", mode: 0o600, rdev: "5:1" },
    { type: "block", path: "sda1", mode: 0o660, rdev: "8:1" },
    { type: "fifo", path: "p", mode: 0o600 },
    { type: "link", path: "a", target: "d/f" },
  ];

  test("what is written is read", () => {
    const members = read(bytesOf(entries));
    expect(members.map(({ path, type, mode, nlink, rdev }) => [path, type, mode, nlink, rdev])).toEqual([
      ["d", "directory", 0o755, 2, "0:0"],
      ["d/f", "file", 0o4755, 2, "0:0"],
      ["d/s", "symlink", 0o777, 1, "0:0"],
      ["console", "char", 0o600, 1, "5:1"],
      ["sda1", "block", 0o660, 1, "8:1"],
      ["p", "fifo", 0o600, 1, "0:0"],
      ["a", "file", 0o4755, 2, "0:0"],
    ]);
    expect(members.map(({ ino }) => ino)).toEqual([1, 2, 3, 4, 5, 6, 2]);
    expect(members.map(({ data }) => Buffer.from(data).toString())).toEqual([
      "",
      "",
      "../d/f",
      "",
      "",
      "",
      "hello",
    ]);
    expect(members[0]?.mtime).toBe(1_700_000_000);
    expect([members[1]?.uid, members[1]?.gid]).toEqual([1, 2]);
  });
  test("the whole is padded as asked for", () => {
    expect(bytesOf(entries).length % 512).toBe(0);
    expect(bytesOf(entries, 4).length % 4).toBe(0);
    expect(bytesOf(entries, 4).length).toBeLessThan(bytesOf(entries, 4096).length);
  });
  test("a file is read from the disk in its turn, to its last byte", () => {
    const root = temporaryTree({ big: "x".repeat(3_000_001) });
    const size = 3_000_001;
    const [member] = read(
      bytesOf([{ type: "file", path: "big", mode: 0o644, data: { file: `${root}/big`, size } }]),
    );
    expect(member?.data.length).toBe(size);
    expect(Buffer.compare(member?.data ?? new Uint8Array(), readFileSync(`${root}/big`))).toBe(0);
    for (const wrong of [size - 1, size + 1])
      expect(() =>
        bytesOf([{ type: "file", path: "big", mode: 0, data: { file: `${root}/big`, size: wrong } }]),
      ).toThrow("changed its size");
  });
  test("what can't be held is refused in a sentence", () => {
    const long = "x".repeat(4096);
    expect(() => bytesOf([file(long, "")])).toThrow("the kernel unpacks none above 4095.");
    expect(() => bytesOf([{ type: "file", path: "f", mode: 0, data: { file: "", size: 2 ** 32 } }])).toThrow(
      "must be smaller than 4 GiB",
    );
    expect(() => bytesOf([{ type: "symlink", path: "s", mode: 0, target: long }])).toThrow(
      "a target of 4096 bytes",
    );
    expect(() => bytesOf([{ type: "link", path: "l", target: "none" }])).toThrow("no file of the image");
    expect(() => bytesOf([{ ...file("f", ""), mtime: -1 }])).toThrow("does not fit into the 32 bits");
    for (const path of ["", "/f", "TRAILER!!!", "a\0b"])
      expect(() => bytesOf([file(path, "")])).toThrow("can't be");
  });
  test("every length of names and data is padded right", () => {
    for (let length = 0; length < 9; length++) {
      const list = [file("n".repeat(length + 1), "d".repeat(length)), file("next", "data")];
      expect(read(bytesOf(list)).map(({ data }) => data.length)).toEqual([length, 4]);
    }
  });
});

function run(argv: string[], cwd: string, stdin: Uint8Array | string): Uint8Array {
  const { stdout, stderr, exitCode } = Bun.spawnSync(argv, { cwd, stdin: Buffer.from(stdin) });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
  return new Uint8Array(stdout);
}

describe("cpio(1)", () => {
  test("unpacks what is written here", () => {
    const directory = temporaryDirectory();
    const archive = bytesOf([
      { type: "directory", path: "d", mode: 0o750 },
      { ...file("d/one", "contents"), mtime: 1_700_000_000 },
      { type: "link", path: "d/two", target: "d/one" },
      { type: "symlink", path: "s", mode: 0o777, target: "d/one" },
      { type: "fifo", path: "pipe", mode: 0o600 },
    ]);
    run(["cpio", "-i", "-m", "--quiet"], directory, archive);
    expect(readFileSync(join(directory, "s"), "utf8")).toBe("contents");
    expect(statSync(join(directory, "d")).mode & 0o777).toBe(0o750);
    expect(statSync(join(directory, "d/one")).ino).toBe(statSync(join(directory, "d/two")).ino);
    expect(statSync(join(directory, "d/one")).mtimeMs).toBe(1_700_000_000_000);
    expect(statSync(join(directory, "pipe")).isFIFO()).toBe(true);
  });

  for (const format of ["newc", "crc"])
    test(`what it packs as ${format} is read here`, () => {
      const directory = temporaryTree({ "a/file": "12345", "a/link": "-> file", b: "x".repeat(5000) });
      mkdirSync(join(directory, "empty"));
      writeFileSync(join(directory, "b"), "y".repeat(5001));
      const names = "a\na/file\na/link\nb\nempty\n";
      const members = read(run(["cpio", "-o", "-H", format, "--quiet"], directory, names));
      expect(members.map(({ path, type, data }) => [path, type, data.length])).toEqual([
        ["a", "directory", 0],
        ["a/file", "file", 5],
        ["a/link", "symlink", 4],
        ["b", "file", 5001],
        ["empty", "directory", 0],
      ]);
    });
});
