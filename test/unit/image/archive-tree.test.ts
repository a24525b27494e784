import { describe, expect, test } from "bun:test";
import { readImage } from "../../../src/image/archive.ts";
import { ArchiveTree } from "../../../src/image/archive-tree.ts";
import { RAW_TRAILER, rawEntry, type RawEntry } from "../../fixtures/newc.ts";

const FILE = 0o100644;
const DIRECTORY = 0o40755;
const SYMLINK = 0o120777;
const CHAR = 0o20600;

function treeOf(...entries: (RawEntry | string)[]): ArchiveTree {
  const raw = entries.map((entry) => (typeof entry === "string" ? entry : rawEntry(entry)));
  const archive = readImage(Buffer.from(raw.join(""), "latin1"));
  expect(archive.damage).toBeUndefined();
  return new ArchiveTree(archive, "initrd");
}

function contents(tree: ArchiveTree, path: string): string | undefined {
  const data = tree.read(path);
  return data && Buffer.from(data).toString("latin1");
}

/** Paths and types, as in "/dev directory". */
function all(tree: ArchiveTree): string[] {
  return tree.entries().map(({ path, node }) => `${path} ${node.type}`);
}

const dir = (name: string): RawEntry => ({ name, mode: DIRECTORY, nlink: 2 });
const file = (name: string, data = ""): RawEntry => ({ name, data, mode: FILE });
const link = (name: string, target: string): RawEntry => ({ name, data: target, mode: SYMLINK });
const hard = (name: string, data = "", ino = "0000abcd"): RawEntry => ({ name, data, nlink: 2, ino });

describe("as init/initramfs_test.c has it", () => {
  test("a file and a directory, with all that is known of them", () => {
    const tree = treeOf(
      { name: "initramfs_test_extract", mode: 0o100777, uid: 12, gid: 34, mtime: 56 },
      { name: "initramfs_test_extract_dir", mode: 0o40777, mtime: 57 },
      RAW_TRAILER,
    );
    expect(tree.node("initramfs_test_extract")).toMatchObject({
      ...{ type: "file", mode: 0o777, uid: 12, gid: 34, mtime: 56 },
    });
    expect(tree.node("initramfs_test_extract_dir")).toMatchObject({
      type: "directory",
      mode: 0o777,
      mtime: 57,
    });
    expect(tree.resolve("initramfs_test_extract")?.size).toBe(0);
  });
  test("data", () => {
    expect(contents(treeOf(file("initramfs_test_data", "ASDF")), "/initramfs_test_data")).toBe("ASDF");
  });
  test("hard links are one file, and have their data in the last", () => {
    const tree = treeOf(
      hard("initramfs_test_hardlink"),
      hard("initramfs_test_hardlink_link", "ASDF"),
      RAW_TRAILER,
    );
    const [one, two] = ["initramfs_test_hardlink", "initramfs_test_hardlink_link"];
    expect(tree.node(one)).toBe(tree.node(two));
    expect(contents(tree, one)).toBe("ASDF");
  });
  test("a thousand files", () => {
    const names = Array.from({ length: 1000 }, (_, at) => `initramfs_test_many-${at}`);
    expect(treeOf(...names.map((name) => file(name))).list("/")).toEqual(names.toSorted());
  });
  test("a name with padding, and a name with slashes behind", () => {
    const tree = treeOf(
      { ...file("padded_fname", "aligned"), nameSize: 4096 - 110 },
      {
        ...dir("fname_ok".padEnd(4095, "/")),
      },
    );
    expect(contents(tree, "padded_fname")).toBe("aligned");
    expect(tree.resolve("fname_ok")).toMatchObject({ path: "/fname_ok", type: "directory" });
  });
});

describe("later entries", () => {
  test("a file replaces a file, in its own archive or a later one", () => {
    const tree = treeOf(file("f", "one"), file("f", "2"), RAW_TRAILER, {
      ...file("f", "three"),
      mode: 0o100600,
    });
    expect(contents(tree, "f")).toBe("three");
    expect(tree.node("f")?.mode).toBe(0o600);
    expect(all(tree)).toEqual(["/ directory", "/f file"]);
  });
  test("one of another type takes its place", () => {
    const tree = treeOf(
      file("a", "data"),
      link("a", "b"),
      dir("b"),
      file("b", "file"),
      dir("c"),
      link("c", "b"),
    );
    expect(all(tree)).toEqual(["/ directory", "/a symlink", "/b file", "/c symlink"]);
    expect(contents(tree, "a")).toBe("file");
    expect(contents(tree, "c")).toBe("file");
  });
  test("a directory with something in it stays", () => {
    const tree = treeOf(dir("d"), file("d/f", "x"), file("d", "no"), link("d", "f"));
    expect(all(tree)).toEqual(["/ directory", "/d directory", "/d/f file"]);
    expect(tree.lost).toEqual([
      { path: "d", why: "something else is in its place" },
      { path: "d", why: "something else is in its place" },
    ]);
  });
  test("a directory again changes its mode and keeps what is in it", () => {
    const tree = treeOf(dir("d"), file("d/f"), { ...dir("d"), mode: 0o41777 });
    expect(tree.node("d")?.mode).toBe(0o1777);
    expect(tree.list("d")).toEqual(["f"]);
  });
  test("a directory takes the place of a symlink to one", () => {
    const tree = treeOf(
      dir("usr"),
      dir("usr/lib"),
      link("lib", "usr/lib"),
      file("lib/a"),
      dir("lib"),
      file("lib/b"),
    );
    expect(tree.list("usr/lib")).toEqual(["a"]);
    expect(tree.list("lib")).toEqual(["b"]);
  });
  test("a file written anew is so by all its names", () => {
    const tree = treeOf(hard("one"), hard("two", "old"), RAW_TRAILER, file("one", "new"));
    expect(contents(tree, "two")).toBe("new");
  });
  test("a device node again keeps its numbers, as mknod(2) fails", () => {
    const tree = treeOf(
      { name: "tty", mode: CHAR, rdev: [5, 0] },
      { name: "tty", mode: 0o20666, rdev: [4, 1] },
    );
    expect(tree.node("tty")).toMatchObject({ type: "char", rdev: "5:0", mode: 0o666 });
  });
});

describe("hard links", () => {
  test("end with their archive", () => {
    const tree = treeOf(
      hard("one"),
      hard("two", "A"),
      RAW_TRAILER,
      hard("three"),
      hard("four", "B"),
      RAW_TRAILER,
    );
    expect(["one", "two", "three", "four"].map((path) => contents(tree, path))).toEqual(["A", "A", "B", "B"]);
  });
  test("do not end where an archive has no trailer", () => {
    const tree = treeOf(hard("one"), "\0".repeat(64), hard("two", "A"));
    expect(contents(tree, "one")).toBe("A");
  });
  test("with data in each: the last counts, and one without any changes nothing", () => {
    const tree = treeOf(hard("one", "first"), hard("two", "second"), hard("three"));
    expect(["one", "two", "three"].map((path) => contents(tree, path))).toEqual([
      "second",
      "second",
      "second",
    ]);
  });
  test("other types and other inodes are not linked", () => {
    const device = { name: "dev", mode: CHAR, nlink: 2, ino: "0000abcd", rdev: [1, 3] as const };
    const tree = treeOf(
      hard("one", "A"),
      device,
      { ...device, name: "same", rdev: [9, 9] },
      hard("b", "B", "0000abce"),
    );
    expect(tree.node("same")).toBe(tree.node("dev"));
    expect(tree.node("same")?.rdev).toBe("1:3");
    expect(contents(tree, "b")).toBe("B");
    expect(contents(tree, "one")).toBe("A");
  });
  test("to a file whose name another type has taken: the name is linked, and the data are lost", () => {
    const tree = treeOf(dir("d"), hard("d/a"), { name: "d/a", mode: 0o140600 }, hard("d/b", "data"));
    expect(tree.node("d/b", "stay")).toBe(tree.node("d/a", "stay"));
    expect(tree.node("d/b")?.type).toBe("socket");
    expect(tree.lost.map(({ path }) => path)).toEqual(["d/b"]);
  });
  test("to a name that only a directory can have: no file is found by it", () => {
    const tree = treeOf(dir("d"), hard("d/a/", "lost"), file("d/a", "data"), hard("d/b", "more"));
    expect(all(tree)).toEqual(["/ directory", "/d directory", "/d/a file"]);
    expect(contents(tree, "/d/a")).toBe("data");
  });
  test("by a name that only a directory has, which stays and is changed all the same", () => {
    const node = { mode: CHAR, uid: 3, gid: 4 };
    const inside = file("d/f");
    expect(treeOf(dir("d"), inside, { ...node, name: "d/" }).node("d")).toMatchObject({
      ...{ type: "directory", mode: 0o600, uid: 3, gid: 4 },
    });
    expect(
      treeOf(dir("d"), inside, { ...node, name: "d/.", mode: SYMLINK, data: "x" }).node("d"),
    ).toMatchObject({
      ...{ type: "directory", mode: 0o755, uid: 3, gid: 4 },
    });
    expect(treeOf(dir("d"), { ...node, name: "d/" }).node("d")).toBeUndefined();
    expect(treeOf(dir("d"), inside, { ...inside, uid: 3, name: "d/" }).node("d")).toMatchObject({ uid: 0 });
  });
  test("to a file that is gone, or to itself", () => {
    const tree = treeOf(hard("one", "A"), link("one", "x"), dir("x"), hard("one", "B"));
    expect(tree.lost).toEqual([{ path: "one", why: "the file that it is a hard link of is gone" }]);
  });
});

describe("places", () => {
  test("parents' symlinks are followed, as the kernel's open(2) does", () => {
    const tree = treeOf(
      dir("usr"),
      dir("usr/lib"),
      link("lib", "/usr/lib"),
      file("lib/x", "data"),
      link("up", ".."),
    );
    expect(contents(tree, "/usr/lib/x")).toBe("data");
    expect(tree.resolve("up/../lib/./x")).toEqual({
      path: "/usr/lib/x",
      links: [
        { path: "/up", target: ".." },
        { path: "/lib", target: "/usr/lib" },
      ],
      ...{ type: "file", size: 4, mode: 0o644 },
    });
  });
  test("no name leads out", () => {
    const tree = treeOf(
      dir("."),
      dir("a"),
      file("../../b", "b"),
      file("/c", "c"),
      link("out", "../../.."),
      file("out/d", "d"),
    );
    expect(all(tree)).toEqual([
      "/ directory",
      "/a directory",
      "/b file",
      "/c file",
      "/d file",
      "/out symlink",
    ]);
    expect(contents(tree, "out/b")).toBe("b");
  });
  test("the root itself can have a mode", () => {
    expect(treeOf({ ...dir("."), mode: 0o40700 }).node("/")?.mode).toBe(0o700);
    expect(treeOf(file(".", "x")).lost).toEqual([{ path: ".", why: "something else is in its place" }]);
  });
  test("what has no directory is left out, but not in the kernel's own two", () => {
    const tree = treeOf(
      file("no/f"),
      file("dev/null"),
      file("root/.profile"),
      file("f"),
      file("f/g"),
      file("x".repeat(256)),
    );
    expect(all(tree)).toEqual([
      ...[
        "/ directory",
        "/dev directory",
        "/dev/null file",
        "/f file",
        "/root directory",
        "/root/.profile file",
      ],
    ]);
    expect(tree.node("root")?.mode).toBe(0o700);
    const why = "the directory that it belongs in is not in the image";
    expect(tree.lost).toEqual([
      { path: "no/f", why },
      { path: "f/g", why },
      { path: "x".repeat(256), why: "its name is too long" },
    ]);
  });
  test("symlinks in circles and to nowhere", () => {
    const tree = treeOf(link("a", "b"), link("b", "a"), link("c", "missing"), file("a/x"), link("d", ""));
    expect(tree.resolve("a")).toBeUndefined();
    expect(tree.resolve("c")).toBeUndefined();
    expect(tree.node("c", "stay")?.target).toBe("missing");
    expect(tree.node("d", "stay")?.target).toBe("");
    expect(tree.lost.map(({ path }) => path)).toEqual(["a/x"]);
  });
  test("what a symlink says ends at a NUL", () => {
    expect(treeOf(link("a", "b\0c")).node("a", "stay")?.target).toBe("b");
  });
});

describe("ArchiveTree", () => {
  const tree = treeOf(dir("b"), file("b/2", "two"), dir("b/1"), file("a"), {
    name: "c",
    mode: CHAR,
    rdev: [5, 1],
  });
  test("entries come with their directories first, in byte order", () => {
    expect(all(tree)).toEqual([
      ...["/ directory", "/a file", "/b directory", "/b/1 directory", "/b/2 file", "/c char"],
    ]);
  });
  test("resolves, reads and lists like a folder", () => {
    expect(tree.resolve("b")).toMatchObject({ type: "directory", path: "/b" });
    expect(tree.resolve("c")).toMatchObject({ type: "other", mode: 0o600 });
    expect(tree.resolve("b/3")).toBeUndefined();
    expect(tree.resolve("a/3")).toBeUndefined();
    expect(tree.read("b")).toBeUndefined();
    expect(tree.read("c")).toBeUndefined();
    expect(tree.list("b")).toEqual(["1", "2"]);
    expect(tree.list("a")).toEqual([]);
    expect(tree.outside("/b/2")).toBe("initrd:/b/2");
  });
  test("early archives are part of it", () => {
    const microcode = rawEntry(dir("kernel")) + rawEntry(file("kernel/x", "y")) + RAW_TRAILER;
    expect(contents(treeOf(microcode, file("init")), "kernel/x")).toBe("y");
  });
});
