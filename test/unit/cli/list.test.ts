import { describe, expect, test } from "bun:test";
import { chmodSync, linkSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../src/cli.ts";
import { NUMBERS, parseAccounts } from "../../../src/cli/accounts.ts";
import { listLine } from "../../../src/cli/listing.ts";
import { readImage } from "../../../src/image/archive.ts";
import { compressed, pipe } from "../../fixtures/compress.ts";
import { RAW_TRAILER, rawEntry, type RawEntry } from "../../fixtures/newc.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";
import { recordingTerminal } from "../../fixtures/terminal.ts";

const BUN = process.execPath;
const MAIN = join(import.meta.dir, "../../../src/main.ts");
const UTC = { TZ: "UTC", LC_ALL: "C" };

function image(...parts: (string | Uint8Array)[]): string {
  const path = join(temporaryDirectory(), "initrd");
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part as string, "latin1"))));
  return path;
}

/** What a process of its own prints, with the environment that dates and names depend on. */
function list(
  path: string,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = UTC,
): string {
  return Buffer.from(pipe([BUN, MAIN, "list", ...options, path], "", { env })).toString("latin1");
}

function cpio(archive: Uint8Array, options = "-itv", env: Readonly<Record<string, string>> = UTC): string {
  return Buffer.from(pipe(["cpio", options, "--quiet"], archive, { env })).toString("latin1");
}

/** A directory with something of each kind that anybody can make. */
function everything(): { directory: string; names: string } {
  const directory = temporaryTree({
    "etc/passwd": "root\n",
    "bin/sh": "x".repeat(123_456),
    "lib/link": "-> ../etc/passwd",
  });
  const at = (name: string) => join(directory, name);
  linkSync(at("bin/sh"), at("bin/ash"));
  linkSync(at("bin/sh"), at("bin/last"));
  mkdirSync(at("tmp"));
  chmodSync(at("tmp"), 0o1777);
  for (const mode of [0o4755, 0o2711, 0o1600, 0o7777, 0o6666, 0o0]) {
    writeFileSync(at(`mode-${mode.toString(8)}`), "");
    chmodSync(at(`mode-${mode.toString(8)}`), mode);
  }
  pipe(["mkfifo", at("fifo")]);
  for (const name of ["sp ace", "new\nline", "tab\t", "back\\slash", "quote'\"", "ä", "\x01\x7f", "--dashes"])
    writeFileSync(at(name), name);
  const now = Date.now() / 1000;
  for (const [name, age] of [
    ["fresh", 60],
    ["half-a-year", 179 * 86_400],
    // From here on all versions of cpio show the year: up to 2.13 after 180 days, later ones some days later.
    ["older", 190 * 86_400],
    ["future", -1000],
    ["ancient", now - 1],
  ] as const) {
    writeFileSync(at(name), "");
    utimesSync(at(name), now - age, now - age);
  }
  const found = pipe(["find", ".", "-mindepth", "1", "-print0"], "", { cwd: directory });
  return { directory, names: Buffer.from(found).toString() };
}

describe("line by line as GNU cpio", () => {
  const { directory, names } = everything();
  for (const format of ["newc", "crc"]) {
    const archive = pipe(["cpio", "-o0", "-H", format, "--quiet"], names, { cwd: directory });
    test(format, () => {
      expect(list(image(archive))).toBe(cpio(archive));
    });
    test(`${format}, numeric`, () => {
      for (const option of ["-n", "--numeric"])
        expect(list(image(archive), [option])).toBe(cpio(archive, "-itvn"));
    });
    test(`${format}, elsewhere`, () => {
      const env = { TZ: "America/St_Johns", LC_ALL: "C.UTF-8" };
      expect(list(image(archive), [], env)).toBe(cpio(archive, "-itv", env));
    });
  }

  test("what a directory can't hold: devices, other people's files, dates far off, large numbers", () => {
    const entries: RawEntry[] = [
      { name: "console", mode: 0o20600, rdev: [5, 1] },
      { name: "disk", mode: 0o60660, rdev: [259, 1_048_575] },
      { name: "socket", mode: 0o140755 },
      { name: "daemon's", uid: 1, gid: 2 },
      { name: "nobody's", uid: 65_534, gid: 65_534 },
      { name: "a stranger's", uid: 4_294_967_295, gid: 123_456_789 },
      { name: "links", nlink: 1234 },
      { name: "epoch", mtime: 0 },
      { name: "2038", mtime: 2 ** 31 - 1 },
      { name: "2106", mtime: 2 ** 32 - 1 },
      { name: "\xff\xfe\x1b[31m" },
      { name: "/absolute" },
      { name: "../above" },
      { name: "directory/", mode: 0o40755 },
      { name: "" },
      { name: "link", mode: 0o120777, data: "with\nline\xff" },
      { name: "cut", mode: 0o120777, data: "at\0NUL" },
    ];
    const archive = Buffer.from(entries.map((entry) => rawEntry(entry)).join("") + RAW_TRAILER, "latin1");
    expect(list(image(archive))).toBe(cpio(archive));
    expect(list(image(archive), ["-n"])).toBe(cpio(archive, "-itvn"));
  });

  test("each segment of an image of several, one after the other", () => {
    const parts = ["bin", "etc", "lib"].map((name) =>
      pipe(["cpio", "-o", "-H", "newc", "--quiet"], pipe(["find", name], "", { cwd: directory }), {
        cwd: directory,
      }),
    );
    const [bin = "", etc = "", lib = ""] = parts;
    const path = image(bin, compressed("zstd", Buffer.from(etc)), compressed("gzip", Buffer.from(lib)));
    expect(list(path)).toBe(parts.map((part) => cpio(part)).join(""));
  });
});

async function run(...args: string[]): Promise<{ status: number; printed: string; said: string[] }> {
  const terminal = recordingTerminal();
  const status = await runCommand(["list", ...args], terminal);
  return { status, printed: terminal.printed.join(""), said: terminal.said };
}

test("a damaged image: what is readable, the sentence, status 2", async () => {
  const path = image(
    rawEntry({ name: "whole", data: "data" }),
    rawEntry({ name: "cut", data: "data" }).slice(0, -4),
  );
  const { status, printed, said } = await run("--numeric", path);
  expect(status).toBe(2);
  expect(printed).toMatch(/^-rw-r--r-- {3}1 0 {8}0 {15}4 .* whole\n$/);
  expect(said).toEqual([
    `rdinit: ${path} is damaged after the entry "whole" (at byte 120): it ends inside the entry "cut". ` +
      "Copy it again, or build it anew.",
  ]);
});

test("--segments: one line for each", async () => {
  const microcode =
    rawEntry({ name: "kernel/x86/microcode/GenuineIntel.bin", data: "x".repeat(1000) }) + RAW_TRAILER;
  const main = Buffer.from(rawEntry({ name: "init" }) + rawEntry({ name: "etc" }) + RAW_TRAILER);
  const packed = compressed("gzip", main);
  const { status, printed } = await run("--segments", image(microcode, "\0".repeat(512), packed, "\0\0"));
  expect(status).toBe(0);
  const lines = printed.trimEnd().split("\n");
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["offset", "size", "unpacked", "entries", "compression"],
    ["0", String(microcode.length), String(microcode.length), "1", "none, read early"],
    [String(microcode.length + 512), String(packed.length), String(main.length), "2", "gzip"],
  ]);
});

test("names can't move a person's cursor", async () => {
  const terminal = { ...recordingTerminal(), direct: true };
  expect(await runCommand(["list", image(rawEntry({ name: "\x1b[2J\xc3\xa4" }))], terminal)).toBe(0);
  expect(terminal.printed.join("")).toEndWith(" \\x1b[2Jä\n");
});

test("what can't be read is a sentence", async () => {
  expect(await run("/nonexistent")).toMatchObject({
    status: 2,
    said: ["rdinit: There is no image /nonexistent."],
  });
  expect((await run()).said[0]).toContain("Usage: rdinit list IMAGE.");
});

test("names of accounts: the first line for a number counts, and a number without one stands for itself", () => {
  const { user, group } = parseAccounts(
    "root:x:0:0::/:\nroot2:x:0:0::/:\nbad\n:x:3:\n",
    "wheel:x:0:\nusers:x:100:a,b",
  );
  expect([user(0), user(3), user(4)]).toEqual(["root", "3", "4"]);
  expect([group(0), group(100), group(1)]).toEqual(["wheel", "users", "1"]);
});

test("a date is a time within the last half year, and a year before and after", () => {
  const [member] =
    readImage(Buffer.from(rawEntry({ name: "x", mtime: 1_700_000_000 }))).segments[0]?.members ?? [];
  const dateAt = (now: number) => member && listLine(member, { accounts: NUMBERS, now }).slice(42, 54);
  const halfAYear = 6 * 30 * 24 * 60 * 60;
  expect(dateAt(1_700_000_000)).toMatch(/^Nov 1[45] \d\d:\d\d$/);
  expect(dateAt(1_700_000_000 + halfAYear)).toMatch(/^Nov 1[45] \d\d:\d\d$/);
  expect(dateAt(1_700_000_001 + halfAYear)).toMatch(/^Nov 1[45] {2}2023$/);
  expect(dateAt(1_699_999_999)).toMatch(/^Nov 1[45] {2}2023$/);
});
