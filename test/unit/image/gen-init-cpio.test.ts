import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CpioEntry } from "../../../src/image/cpio.ts";
import { initramfsList, type FileEntry } from "../../../src/image/gen-init-cpio.ts";
import { writeInitramfsList } from "../../../src/image/write-list.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

const places = { folder: "/work/list.files", workingDirectory: "/home/me" };

function linesOf(entries: readonly CpioEntry[]): string[] {
  const { text } = initramfsList(entries, places);
  expect(text).toEndWith("\n");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const file = (path: string, from: string): FileEntry => ({
  type: "file",
  path,
  mode: 0o644,
  data: { file: from, size: 1 },
});

const directory = (path: string): CpioEntry => ({ type: "directory", path, mode: 0o755 });

const made = (words: string): FileEntry => ({
  type: "file",
  path: "etc/words",
  mode: 0o644,
  mtime: 7,
  data: Buffer.from(words),
});

const namesOf = (entry: CpioEntry) => [...initramfsList([entry], places).contents.keys()];

describe("initramfsList", () => {
  test("a line for each type of entry", () => {
    const common = { mode: 0o755, uid: 1, gid: 2 };
    expect(
      linesOf([
        { type: "directory", path: "dev", ...common },
        { type: "char", path: "dev/console", mode: 0o600, rdev: "5:1" },
        { type: "block", path: "dev/vda", mode: 0o660, gid: 6, rdev: "254:0" },
        { type: "symlink", path: "bin", mode: 0o777, target: "usr/bin" },
        { type: "fifo", path: "pipe", ...common },
        { type: "socket", path: "socket", ...common },
        { ...file("init", "/usr/lib/rdinit"), mode: 0o4755 },
      ]),
    ).toEqual([
      "dir /dev 0755 1 2",
      "nod /dev/console 0600 0 0 c 5 1",
      "nod /dev/vda 0660 0 6 b 254 0",
      "slink /bin usr/bin 0777 0 0",
      "pipe /pipe 0755 1 2",
      "sock /socket 0755 1 2",
      "file /init /usr/lib/rdinit 4755 0 0",
    ]);
  });

  test("a file with hard links is made once the directories of all its names are there", () => {
    expect(
      linesOf([
        file("a", "/a"),
        { type: "directory", path: "d", mode: 0o755 },
        { type: "link", path: "d/b", target: "a" },
        { type: "symlink", path: "e", mode: 0o777, target: "a" },
      ]),
    ).toEqual(["dir /d 0755 0 0", "file /a /a 0644 0 0 /d/b", "slink /e a 0777 0 0"]);
  });

  test("a relative path begins in the working directory", () => {
    expect(linesOf([file("init", "build/init")])).toEqual(["file /init /home/me/build/init 0644 0 0"]);
  });

  test("contents that no file has, or none whose path can be written, go into the folder", () => {
    const odd = [
      "/a b",
      "/a\nb",
      "/${HOME}",
      "/a:b",
      "/a#b",
      "/a$b",
      "/a%b",
      "/a\\b",
      `/${"x".repeat(4095)}`,
    ];
    const entries = [made("here"), ...odd.map((from, at) => file(`odd-${at}`, from))];
    const { text, contents } = initramfsList(entries, places);
    expect([...contents.values()]).toEqual(entries);
    for (const [name, entry] of contents) {
      expect(name).toMatch(/^[0-9a-f]{16}-(words|odd-\d)$/);
      expect(text).toContain(`\nfile /${entry.path} /work/list.files/${name} `);
    }
  });

  test("the same contents have the same name, others have another", () => {
    expect(namesOf(made("one"))).toEqual(namesOf(made("one")));
    expect(namesOf(made("one"))).not.toEqual(namesOf(made("two")));
  });

  test("what the format can't hold is a sentence", () => {
    for (const space of [" ", "\t", "\n", "\v", "\f", "\r"]) {
      expect(() => linesOf([directory(`a${space}b`)])).toThrow(/^The name "a.*b" has white space in it/);
      expect(() => linesOf([{ type: "symlink", path: "a", mode: 0o777, target: `b${space}` }])).toThrow(
        /^The symlink's target "b.*" has white space in it/,
      );
    }
    expect(() => linesOf([directory("/dev")])).toThrow(`"/dev" can't be the name of a file in an initramfs.`);
    expect(() => linesOf([directory("TRAILER!!!")])).toThrow("can't be the name");
    expect(() => linesOf([{ type: "link", path: "a", target: "b" }])).toThrow(
      "a is a hard link to a file that the image does not have.",
    );
    const links = Array.from({ length: 900 }, (_, at): CpioEntry => ({
      type: "link",
      path: `name-${at}`,
      target: "a",
    }));
    expect(() => linesOf([file("a", "/a"), ...links])).toThrow("a has too many hard links for the list");
  });

  test("a folder whose path would be misread is a sentence", () => {
    for (const folder of ["/my lists/x", "/${x}/y", "/a:b", "relative", `/${"x".repeat(4000)}`])
      expect(() => initramfsList([], { ...places, folder })).toThrow("The list can't lie at a path like");
  });
});

describe("writeInitramfsList", () => {
  test("writes the list and its contents, and keeps nothing that an older list had there", async () => {
    const list = join(temporaryDirectory(), "list");
    mkdirSync(`${list}.files`);
    writeFileSync(`${list}.files/mine`, "");
    await writeInitramfsList(list, [made("old")]);
    const old = readdirSync(`${list}.files`).find((name) => name.endsWith("-words")) ?? "";
    await writeInitramfsList(list, [made("new")]);
    const names = readdirSync(`${list}.files`).sort();
    expect(names.length).toBe(2);
    expect(names).toContain("mine");
    expect(names).not.toContain(old);
    const location = /^file \/etc\/words (\S+) 0644 0 0$/m.exec(readFileSync(list, "latin1"))?.[1] ?? "";
    expect(readFileSync(location, "latin1")).toBe("new");
    expect(statSync(location).mtimeMs).toBe(7000);
    expect(statSync(location).mode & 0o777).toBe(0o600);
  });

  test("a file whose own path can't be written is copied", async () => {
    const dir = temporaryDirectory();
    const odd = join(dir, "with a space");
    const bytes = Buffer.alloc(3_000_001, "x");
    writeFileSync(odd, bytes);
    const list = join(dir, "list");
    await writeInitramfsList(list, [
      { type: "file", path: "copy", mode: 0o644, data: { file: odd, size: bytes.length } },
    ]);
    // It may hold keys.
    expect(statSync(`${list}.files`).mode & 0o777).toBe(0o700);
    const [name = ""] = readdirSync(`${list}.files`);
    expect(readFileSync(join(`${list}.files`, name)).equals(bytes)).toBe(true);
  });

  test("an older list stays when the new one can't be written", async () => {
    const list = join(temporaryDirectory(), "list");
    await writeInitramfsList(list, [{ type: "directory", path: "old", mode: 0o755 }]);
    const before = readFileSync(list);
    const gone: CpioEntry = {
      type: "file",
      path: "a",
      mode: 0o644,
      data: { file: "/no such file", size: 1 },
    };
    await expect(writeInitramfsList(list, [gone])).rejects.toThrow(/can't be written: .*no such file/);
    expect(readFileSync(list).equals(before)).toBe(true);
  });
});
