import { describe, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../src/cli.ts";
import { compressed, pipe } from "../../fixtures/compress.ts";
import { RAW_TRAILER, rawEntry, type RawEntry } from "../../fixtures/newc.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";
import { recordingTerminal } from "../../fixtures/terminal.ts";

const IS_ROOT = process.getuid?.() === 0;
const PROJECT = join(import.meta.dir, "../../..");
const [UID, GID] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];

const dir = (name: string, mode = 0o755): RawEntry => ({
  name,
  mode: 0o40000 | mode,
  nlink: 2,
  uid: UID,
  gid: GID,
});
const file = (name: string, data = "", mode = 0o644): RawEntry => ({
  name,
  data,
  mode: 0o100000 | mode,
  uid: UID,
  gid: GID,
});
const link = (name: string, target: string): RawEntry => ({
  name,
  data: target,
  mode: 0o120777,
  uid: UID,
  gid: GID,
});

function image(...entries: RawEntry[]): string {
  const path = join(temporaryDirectory(), "initrd");
  fs.writeFileSync(path, imageBytes(...entries));
  return path;
}

function imageBytes(...entries: RawEntry[]): Buffer {
  return Buffer.from(entries.map((entry) => rawEntry(entry)).join("") + RAW_TRAILER, "latin1");
}

async function unpack(...args: string[]): Promise<{ status: number; said: string[] }> {
  const terminal = recordingTerminal();
  const status = await runCommand(["unpack", ...args], terminal);
  return { status, said: terminal.said };
}

/** Unpacks into a directory that is not there yet; returns it. */
async function unpacked(...entries: RawEntry[]): Promise<string> {
  const to = join(temporaryDirectory(), "new/er");
  expect(await unpack(image(...entries), to)).toEqual({ status: 0, said: [] });
  return to;
}

/** Everything below a directory: type, mode, owner, size, time, target and links, one line each. */
function tree(directory: string, format = "%P %y %m %U %G %s %T@ %l %n\\n"): string[] {
  const found = pipe(["find", ".", "-mindepth", "1", "-printf", format], "", { cwd: directory });
  return Buffer.from(found).toString("latin1").trimEnd().split("\n").sort();
}

describe("what is unpacked", () => {
  test("files, directories, symlinks and fifos with their modes and times", async () => {
    const to = await unpacked(
      { ...dir("d", 0o550), mtime: 1_600_000_000 },
      { ...file("d/run", "#!/bin/sh\n", 0o4711), mtime: 1_500_000_000 },
      { ...link("d/link", "../\xff nowhere"), mtime: 1_400_000_000 },
      { ...file("fifo"), mode: 0o10640, mtime: 5 },
      { ...file("socket"), mode: 0o140600 },
      { ...dir("sticky", 0o1777), mtime: 6 },
      { ...file("late", ""), mtime: 2 ** 32 - 1 },
    );
    expect(tree(to, "%P %y %m %T@ [%l]\\n")).toEqual([
      "d d 550 1600000000.0000000000 []",
      "d/link l 777 1400000000.0000000000 [../\xff nowhere]",
      "d/run f 4711 1500000000.0000000000 []",
      "fifo p 640 5.0000000000 []",
      "late f 644 4294967295.0000000000 []",
      "socket s 600 7.0000000000 []",
      "sticky d 1777 6.0000000000 []",
    ]);
    expect(fs.readFileSync(join(to, "d/run"), "latin1")).toBe("#!/bin/sh\n");
    // For the clean-up.
    fs.chmodSync(join(to, "d"), 0o755);
  });

  test("hard links are one file", async () => {
    const entry = { nlink: 3, ino: "0000abcd" };
    const to = await unpacked(
      { ...file("a"), ...entry },
      { ...file("b"), ...entry },
      { ...file("c", "data"), ...entry },
    );
    const [a, b, c] = ["a", "b", "c"].map((name) => fs.statSync(join(to, name)));
    expect([a?.ino, b?.ino, a?.nlink]).toEqual([c?.ino, c?.ino, 3]);
    expect(fs.readFileSync(join(to, "a"), "latin1")).toBe("data");
  });

  test("names and contents are bytes", async () => {
    const name = "\xc3\xa4\xff\n\x01";
    const data = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
    const to = await unpacked(file(name, data));
    const names = fs.readdirSync(to, { encoding: "buffer" });
    expect(names.map((one) => one.toString("latin1"))).toEqual([name]);
    expect(fs.readFileSync(Buffer.concat([Buffer.from(`${to}/`), ...names]), "latin1")).toBe(data);
  });

  test("all segments, later over earlier, as the kernel does", async () => {
    const to = join(temporaryDirectory(), "to");
    const path = image(dir("kernel"), file("init", "early"), dir("gone"));
    fs.appendFileSync(path, compressed("zstd", imageBytes(file("init", "main"), file("gone", "file"))));
    expect((await unpack(path, to)).status).toBe(0);
    expect(fs.readFileSync(join(to, "init"), "latin1")).toBe("main");
    expect(fs.readFileSync(join(to, "gone"), "latin1")).toBe("file");
    expect(fs.statSync(join(to, "kernel")).isDirectory()).toBe(true);
  });

  test("as GNU cpio unpacks it", async () => {
    const source = temporaryTree({ "a/b/file": "x".repeat(70_000), "a/link": "-> b/file", "a/other": "" });
    fs.linkSync(join(source, "a/other"), join(source, "a/same"));
    fs.chmodSync(join(source, "a/b"), 0o711);
    const archive = pipe(["cpio", "-o", "-H", "crc", "--quiet"], pipe(["find", "a"], "", { cwd: source }), {
      cwd: source,
    });
    const path = join(temporaryDirectory(), "initrd");
    fs.writeFileSync(path, compressed("xz", archive));
    const [ours, theirs] = [join(temporaryDirectory(), "ours"), temporaryDirectory()];
    expect((await unpack(path, ours)).status).toBe(0);
    pipe(["cpio", "-idm", "--quiet"], archive, { cwd: theirs });
    // Its times of directories and symlinks are those of the unpacking.
    const format = "%P %y %m %U %G %s %l\\n";
    expect(tree(ours, format).filter((line) => !line.includes(" d "))).toEqual(
      tree(theirs, format).filter((line) => !line.includes(" d ")),
    );
    expect(tree(ours, "%P %y %m\\n")).toEqual(tree(theirs, "%P %y %m\\n"));
  });
});

/** A directory with DIR in it, and something beside that must stay as it is. */
function arena(): { to: string; outside: string; untouched: () => boolean } {
  const outside = temporaryTree({ "victim/file": "safe" });
  const to = join(outside, "dir");
  const before = tree(outside, "%P %s %T@\\n").join();
  const untouched = () =>
    tree(outside, "%P %s %T@\\n")
      .filter((line) => !line.startsWith("dir"))
      .join() === before;
  return { to, outside, untouched };
}

describe("nothing is written outside", () => {
  test("by names with .. or a slash in front", async () => {
    const { to, untouched } = arena();
    const hostile = image(
      dir("d"),
      file("../victim/file", "evil"),
      file("d/../../../victim/file", "evil"),
      file("/abs", "x"),
    );
    expect((await unpack(hostile, to)).status).toBe(0);
    expect(untouched()).toBe(true);
    expect(tree(to, "%P %y\\n")).toEqual(["abs f", "d d"]);
  });

  test("by symlinks and files beneath them, in one archive or two", async () => {
    const { to, outside, untouched } = arena();
    const victim = join(outside, "victim");
    const path = image(
      link("abs", victim),
      link("rel", "../victim"),
      file("abs/file", "evil"),
      file("rel/file", "evil"),
    );
    fs.appendFileSync(
      path,
      compressed("gzip", imageBytes(file("abs/file", "evil"), file("rel/new", "evil"))),
    );
    const { said } = await unpack(path, to);
    expect(untouched()).toBe(true);
    expect(fs.existsSync(join(victim, "new"))).toBe(false);
    expect(said).toEqual([
      'rdinit unpack: left out, as the kernel does: "abs/file", since the directory that it belongs in is not in the ' +
        "image, and 3 more.",
    ]);
  });

  test("by a file in the place of a symlink, or a hard link to one", async () => {
    const { to, outside, untouched } = arena();
    const victim = join(outside, "victim/file");
    const entry = { nlink: 2, ino: "0000abcd" };
    const path = image(
      link("a", victim),
      file("a", "evil"),
      link("b", victim),
      { ...link("h", victim), ...entry },
      {
        ...file("h", "evil"),
        ...entry,
      },
    );
    expect((await unpack(path, to)).status).toBe(0);
    expect(untouched()).toBe(true);
    expect(fs.lstatSync(join(to, "a")).isFile()).toBe(true);
    expect(fs.lstatSync(join(to, "b")).isSymbolicLink()).toBe(true);
  });

  test("by symlinks that were in DIR before, with --force", async () => {
    const { to, outside, untouched } = arena();
    fs.mkdirSync(to);
    fs.symlinkSync(join(outside, "victim"), join(to, "d"));
    fs.symlinkSync(join(outside, "victim/file"), join(to, "f"));
    const path = image(dir("d"), file("d/file", "evil"), file("f", "evil"));
    expect((await unpack("--force", path, to)).status).toBe(0);
    expect(untouched()).toBe(true);
    expect(fs.readFileSync(join(to, "d/file"), "latin1")).toBe("evil");
  });
});

describe("DIR", () => {
  const path = image(dir("d"), file("d/new", "new"), link("l", "d"));

  test("may be there when it is empty, and keeps its own mode and time", async () => {
    const to = temporaryDirectory();
    fs.chmodSync(to, 0o750);
    expect((await unpack(path, to)).status).toBe(0);
    expect(fs.statSync(to).mode & 0o7777).toBe(0o750);
    expect(tree(to, "%P\\n")).toEqual(["d", "d/new", "l"]);
  });
  test("is refused when it is not empty, or is no directory", async () => {
    const to = temporaryTree({ "d/old": "old" });
    const refused = await unpack(path, to);
    expect(refused.status).toBe(2);
    expect(refused.said[0]).toBe(
      `rdinit: The directory ${to} is not empty. Name another one, or unpack over what is in it by --force.`,
    );
    expect(tree(to, "%P\\n")).toEqual(["d", "d/old"]);
    expect((await unpack(path, join(to, "d/old"))).said[0]).toContain("is no directory.");
  });
  test("with --force, what is in the way is replaced and all else kept", async () => {
    const to = temporaryTree({ "d/old": "old", "d/new": "-> old", l: "a file", other: "kept" });
    expect(await unpack("-f", path, to)).toEqual({ status: 0, said: [] });
    expect(tree(to, "%P %y\\n")).toEqual(["d d", "d/new f", "d/old f", "l l", "other f"]);
    expect(fs.readFileSync(join(to, "d/old"), "latin1")).toBe("old");
    expect(fs.readFileSync(join(to, "d/new"), "latin1")).toBe("new");
  });
  test("with --force, a directory with something in it is not replaced", async () => {
    const to = temporaryTree({ "l/old": "old" });
    const { status, said } = await unpack("-f", path, to);
    expect(status).toBe(2);
    expect(said[0]).toMatch(
      /^rdinit: \/.*\/l can't be unpacked: .*not empty.*\. What was unpacked before it is still there\.$/,
    );
    expect(fs.readFileSync(join(to, "l/old"), "latin1")).toBe("old");
  });
});

test("a damaged image: what is readable is unpacked, then comes the sentence, status 2", async () => {
  const path = image(file("whole", "data"));
  fs.appendFileSync(path, "junk");
  const to = join(temporaryDirectory(), "to");
  const { status, said } = await unpack(path, to);
  expect(status).toBe(2);
  expect(said[0]).toContain('is damaged after the entry "whole"');
  expect(fs.readFileSync(join(to, "whole"), "latin1")).toBe("data");
  const none = join(temporaryDirectory(), "none");
  expect((await unpack("/etc/passwd", none)).said[0]).toContain("is no initramfs");
  expect(fs.existsSync(none)).toBe(false);
});

const MIXED = [
  { ...file("mine", "x", 0o4755), uid: 65_534, gid: 65_534 },
  { ...file("root's", "x", 0o6755), uid: 0, gid: 0 },
  { ...dir("dir", 0o2755), uid: 0, gid: 0 },
  { ...link("link", "mine"), uid: 0, gid: 0 },
  { name: "null", mode: 0o20666, rdev: [1, 3] as const },
  { name: "sda", mode: 0o60660, rdev: [8, 0] as const, gid: 6 },
  { name: "last", mode: 0o100600, uid: 12, gid: 34 },
];

test.skipIf(!IS_ROOT)("root gets owners, device nodes and setuid bits", async () => {
  const to = await unpacked(...MIXED);
  expect(tree(to, "%P %y %m %U %G\\n")).toEqual([
    ...["dir d 2755 0 0", "last f 600 12 34", "link l 777 0 0", "mine f 4755 65534 65534"],
    ...["null c 666 0 0", "root's f 6755 0 0", "sda b 660 0 6"],
  ]);
  expect([fs.statSync(join(to, "null")).rdev, fs.statSync(join(to, "sda")).rdev]).toEqual([0x103, 0x800]);
});

test.skipIf(!IS_ROOT)("another user gets the files, and one sentence about the rest", () => {
  const place = temporaryDirectory();
  fs.chmodSync(place, 0o777);
  // A copy, as the user need not be allowed to see the project.
  const program = join(place, "program");
  const { exitCode: built, stderr: why } = Bun.spawnSync(
    [process.execPath, "build", join(PROJECT, "src/main.ts"), "--compile", `--outfile=${program}`],
    { cwd: place, stderr: "pipe", stdout: "ignore" },
  );
  expect([built, built === 0 ? "" : why.toString()]).toEqual([0, ""]);
  fs.writeFileSync(join(place, "initrd"), imageBytes(...MIXED));
  const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { exitCode, stderr } = Bun.spawnSync([...user, program, "unpack", "initrd", "to"], { cwd: place });
  expect(stderr.toString()).toBe(
    "rdinit unpack: left out, as it takes root to make them: 2 device nodes; the owner of 4 files, with the setuid " +
      "and setgid bits.\n",
  );
  expect(exitCode).toBe(0);
  expect(tree(join(place, "to"), "%P %y %m %U %G\\n")).toEqual([
    ...["dir d 755 65534 65534", "last f 600 65534 65534", "link l 777 65534 65534"],
    ...["mine f 4755 65534 65534", "root's f 755 65534 65534"],
  ]);
});
