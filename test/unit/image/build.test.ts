import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildImage, type ImageRequest } from "../../../src/image/build.ts";
import { readCpio } from "../../../src/image/cpio-reader.ts";
import type { CpioEntry } from "../../../src/image/cpio.ts";
import { ImageTree } from "../../../src/image/image-tree.ts";
import { includedFiles } from "../../../src/image/includes.ts";
import type { Part } from "../../../src/image/part.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { COMPRESSIONS, writeImage, type ImageCompression } from "../../../src/image/write.ts";
import { makeElf, makeModule } from "../../fixtures/elf.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

const root = temporaryTree({
  "usr/sbin/tool": makeElf({ interpreter: "/lib64/ld.so", needed: ["libc.so.6"] }),
  "usr/lib/ld.so": makeElf({}),
  "usr/lib/libc.so.6": makeElf({ soname: "libc.so.6" }),
  "usr/lib/modules/6.1/modules.dep": "kernel/x.ko:\n",
  "usr/lib/modules/6.1/kernel/x.ko": makeModule(["firmware=x.bin", "firmware=y.bin"]),
  "usr/lib/firmware/x.bin": "firmware",
  sbin: "-> usr/sbin",
  lib: "-> usr/lib",
  lib64: "-> usr/lib",
  broken: makeElf({ needed: ["liblost.so"] }),
});
const init = join(temporaryTree({ rdinit: "the binary" }), "rdinit");

function build(request: Partial<ImageRequest> = {}) {
  return buildImage({ init, root, ...request });
}

function tool(path: string): Part {
  return { why: `the tool ${path}`, programs: [path] };
}

function paths(entries: readonly CpioEntry[]): string[] {
  return entries.map(({ path }) => path);
}

function find(entries: readonly CpioEntry[], path: string): CpioEntry | undefined {
  return entries.find((entry) => entry.path === path);
}

describe("buildImage", () => {
  test("the least image has the binary, two nodes, places to mount on, and its guard around all", () => {
    const { entries, notes } = build();
    expect(paths(entries)).toEqual([
      "etc",
      "etc/rdinit",
      "etc/rdinit/image.json",
      "dev",
      "dev/console",
      "dev/null",
      "init",
      "proc",
      "run",
      "sys",
      "sysroot",
      "etc/rdinit/end",
    ]);
    expect(find(entries, "proc")).toMatchObject({ type: "directory", mode: 0o555 });
    expect(find(entries, "dev/console")).toMatchObject({ type: "char", rdev: "5:1", mode: 0o600 });
    expect(find(entries, "init")).toMatchObject({
      type: "file",
      mode: 0o755,
      data: { file: init, size: 10 },
    });
    expect(notes).toEqual([]);
    const first = entries[2];
    const json =
      first?.type === "file" && first.data instanceof Uint8Array ? Buffer.from(first.data).toString() : "";
    expect(JSON.parse(json)).toEqual({ entries: 12, kernel: null });
  });
  test("tools come with their libraries and the symlinks of their root, modules with their firmware", () => {
    const { entries, lacks } = build({
      parts: [tool("/sbin/tool")],
      modules: { release: "6.1", names: ["x"] },
    });
    const list = paths(entries);
    for (const path of [
      "usr/sbin/tool",
      "usr/lib/libc.so.6",
      "usr/lib/ld.so",
      "usr/lib/modules/6.1/modules.dep",
      "usr/lib/modules/6.1/kernel/x.ko",
      "usr/lib/firmware/x.bin",
    ])
      expect(list).toContain(path);
    expect(find(entries, "lib")).toMatchObject({ type: "symlink", target: "usr/lib" });
    expect(find(entries, "sbin")).toMatchObject({ type: "symlink", target: "usr/sbin" });
    expect(lacks.notes).toEqual(["Firmware y.bin, which x may ask for, is not installed."]);
    for (const [at, path] of list.entries())
      for (const parent of path.split("/").map((_, depth, parts) => parts.slice(0, depth).join("/")))
        expect(parent === "" || list.indexOf(parent) < at).toBe(true);
  });
  test("files are put where they are wanted, also through symlinks", () => {
    const { entries } = build({
      parts: [tool("/sbin/tool")],
      files: [
        { to: "/sbin/../lib/hello", data: Buffer.from("hello"), mode: 0o600 },
        { to: "/etc/key", from: init },
      ],
    });
    expect(find(entries, "usr/lib/hello")).toMatchObject({ type: "file", mode: 0o600 });
    expect(find(entries, "etc/key")).toMatchObject({ type: "file", mode: 0o755 });
  });
  test("of a directory the symlinks go in too, also those that lead nowhere", () => {
    const own = temporaryTree({
      "d/near": "-> f",
      "d/f": "f",
      "d/far": "-> /nowhere",
      "d/round": "-> round",
    });
    for (const request of [
      { parts: [{ why: "--include", files: ["/d"] }] },
      { files: includedFiles(new RootTree(own), ["/d:/d"]).files },
    ]) {
      const { entries } = buildImage({ init, root: own, ...request });
      const targets = ["d/near", "d/far", "d/round"].map((path) => find(entries, path));
      expect(targets).toMatchObject([{ target: "f" }, { target: "/nowhere" }, { target: "round" }]);
    }
  });
  test("a file that a person names wins over what a part makes of it", () => {
    const made = { why: "a part", made: [{ to: "/init.conf", data: Buffer.from("made") }] };
    const own = temporaryTree({ "init.conf": "written by hand", "etc/other": "elsewhere" });
    const named: Part = { why: "--include", files: ["/init.conf"], wins: true };
    const contents = (request: Partial<ImageRequest>) => {
      const entry = find(buildImage({ init, root: own, ...request }).entries, "init.conf");
      return entry?.type === "file" && !(entry.data instanceof Uint8Array) ? entry.data.file : "made";
    };
    expect(contents({ parts: [made] })).toBe("made");
    expect(contents({ parts: [made, named] })).toBe(`${own}/init.conf`);
    const files = [{ to: "/init.conf", from: `${own}/etc/other` }];
    expect(contents({ parts: [made], files })).toBe(`${own}/etc/other`);
  });
  test("the time is that which was given", () => {
    expect(
      new Set(build({ mtime: 1_700_000_000 }).entries.map((entry) => "mtime" in entry && entry.mtime)),
    ).toEqual(new Set([1_700_000_000]));
  });
  test("busybox brings a shell and modprobe, and leaves other tools alone", () => {
    const busybox = Bun.which("busybox");
    if (!busybox) throw new Error("busybox is not installed, which the tests are set up with.");
    const tree = temporaryTree({ "sbin/mdadm": makeElf({}), "usr/bin/awk": makeElf({}) });
    mkdirSync(join(tree, "bin"));
    copyFileSync(busybox, join(tree, "bin/busybox"));
    chmodSync(join(tree, "bin/busybox"), 0o755);
    const { entries } = buildImage({
      init,
      root: tree,
      parts: [tool("/usr/bin/awk")],
      busybox: "/bin/busybox",
    });
    expect(find(entries, "bin/sh")).toMatchObject({ type: "symlink", target: "/bin/busybox" });
    expect(find(entries, "bin/busybox")).toMatchObject({ type: "file", mode: 0o755 });
    expect(find(entries, "usr/bin/awk")).toMatchObject({ type: "file" });
  });
  test("a busybox that lies elsewhere, and behind a symlink, is /bin/busybox all the same", () => {
    const tree = temporaryTree({
      "usr/lib/initcpio/busybox": "-> busybox-1",
      "usr/lib/initcpio/busybox-1": makeElf({}),
    });
    const { entries } = buildImage({ init, root: tree, busybox: "/usr/lib/initcpio/busybox" });
    expect(find(entries, "bin/busybox")).toMatchObject({ target: "/usr/lib/initcpio/busybox-1" });
    expect(find(entries, "usr/lib/initcpio/busybox-1")).toMatchObject({ type: "file" });
  });
  test("a link that a part would like leaves what is there", () => {
    const link = { path: "/usr/sbin/tool", target: "/elsewhere" };
    const { entries } = build({ parts: [{ ...tool("/sbin/tool"), links: [link] }] });
    expect(find(entries, "usr/sbin/tool")).toMatchObject({ type: "file" });
  });
  test("what is missing is a sentence", () => {
    expect(() => build({ init: "/none/rdinit" })).toThrow("The file /none/rdinit does not exist.");
    expect(() => build({ parts: [tool("/sbin/none")] })).toThrow("The program /sbin/none does not exist.");
    expect(() => build({ parts: [tool("/broken")] })).toThrow(
      "These libraries are missing: liblost.so (for /broken).",
    );
    expect(() => build({ busybox: "/bin/busybox" })).toThrow("The program /bin/busybox does not exist.");
    expect(() => build({ files: [{ to: "/x" }] })).toThrow("Nothing is given to be /x in the image.");
    expect(() => build({ files: [{ to: "/init", data: Buffer.from("other") }] })).toThrow(
      "Two different things are to be init in the image: a file and a file.",
    );
    expect(() => build({ files: [{ to: "/init/below", data: Buffer.from("") }] })).toThrow(
      "init is a file in the image, so nothing can be put below it.",
    );
  });
});

describe("ImageTree", () => {
  test("no path leads out of it, and circles are named", () => {
    const tree = new ImageTree();
    tree.add("a", { type: "symlink", target: "b" }, "a test");
    tree.add("b", { type: "symlink", target: "/a" }, "a test");
    expect(() => tree.add("a/x", { type: "directory", mode: 0o755 }, "a test")).toThrow(
      "lead in a circle at",
    );
    tree.add("../../x", { type: "directory", mode: 0o700 }, "a test");
    tree.add("x", { type: "directory", mode: 0o755 }, "a test");
    expect(tree.has("/x")).toBe(true);
    expect(tree.entries(5).at(-1)).toEqual({ type: "directory", path: "x", mode: 0o700, mtime: 5 });
  });
});

const UNPACK: Readonly<Record<ImageCompression, string>> = {
  none: "cat",
  gzip: "gzip -dc",
  zstd: "zstd -dcq",
  lz4: "lz4 -dcq",
  xz: "xz -dc",
};

describe("writeImage", () => {
  const { entries } = build({ modules: { release: "6.1", names: ["x"] } });

  for (const compression of Object.keys(COMPRESSIONS) as ImageCompression[])
    test(`${compression}: whole, and the same each time`, async () => {
      const directory = temporaryDirectory();
      await writeImage(`${directory}/one`, entries, compression);
      await writeImage(`${directory}/two`, entries, compression);
      expect(readdirSync(directory).sort()).toEqual(["one", "two"]);
      expect(statSync(`${directory}/one`).mode & 0o777).toBe(0o600);
      expect(Buffer.compare(readFileSync(`${directory}/one`), readFileSync(`${directory}/two`))).toBe(0);
      const [program = "", ...options] = UNPACK[compression].split(" ");
      const { stdout } = Bun.spawnSync([program, ...options, `${directory}/one`]);
      const members = [...readCpio(new Uint8Array(stdout))];
      expect(members.map(({ path }) => path)).toEqual(paths(entries));
      expect(Buffer.from(members.find(({ path }) => path === "init")?.data ?? []).toString()).toBe(
        "the binary",
      );
      const first = JSON.parse(Buffer.from(members[2]?.data ?? []).toString()) as { entries: number };
      expect(first.entries).toBe(members.length);
    });

  test("options in the environment change nothing of it", async () => {
    const directory = temporaryDirectory();
    await writeImage(`${directory}/plain`, entries, "xz");
    process.env["XZ_OPT"] = "--format=lzma";
    try {
      await writeImage(`${directory}/asked`, entries, "xz");
    } finally {
      delete process.env["XZ_OPT"];
    }
    expect(Buffer.compare(readFileSync(`${directory}/plain`), readFileSync(`${directory}/asked`))).toBe(0);
  });
  test("a cut image lacks its last file", async () => {
    const path = `${temporaryDirectory()}/image`;
    await writeImage(path, entries, "none");
    const image = readFileSync(path);
    const seen: string[] = [];
    expect(() => {
      for (const member of readCpio(image.subarray(0, 1000))) seen.push(member.path);
    }).toThrow("The archive is damaged after the entry");
    expect(seen).toContain("etc/rdinit/image.json");
    expect(seen).not.toContain("etc/rdinit/end");
  });
  test("nothing is left behind when it fails, and an old image stays", async () => {
    const directory = temporaryTree({ image: "old" });
    const bad: CpioEntry[] = [
      ...entries,
      { type: "file", path: "gone", mode: 0, data: { file: `${directory}/gone`, size: 1 } },
    ];
    for (const compression of Object.keys(COMPRESSIONS) as ImageCompression[])
      await expect(writeImage(`${directory}/image`, bad, compression)).rejects.toThrow("can't be written");
    await expect(writeImage(`${directory}/none/image`, entries, "none")).rejects.toThrow("can't be written");
    await expect(writeImage(`${directory}/image`, entries, "zstd", 23)).rejects.toThrow(
      "23 is no level of zstd: it has 1 to 19.",
    );
    expect(readdirSync(directory)).toEqual(["image"]);
    expect(readFileSync(`${directory}/image`, "utf8")).toBe("old");
  });
});
