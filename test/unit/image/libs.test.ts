import { describe, expect, test } from "bun:test";
import { realpathSync } from "node:fs";
import { LibraryFinder } from "../../../src/image/libs.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { makeElf } from "../../fixtures/elf.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

function closure(files: Record<string, string | Uint8Array>, ...programs: string[]) {
  const {
    files: found,
    links,
    missing,
  } = new LibraryFinder(new RootTree(temporaryTree(files))).find(programs);
  return {
    files: [...found.keys()].sort(),
    links: [...links.values()].map(({ path, target }) => `${path} -> ${target}`).sort(),
    missing: [...missing],
  };
}

describe("RootTree", () => {
  const root = new RootTree(
    temporaryTree({
      "usr/lib/real": "x",
      lib: "-> usr/lib",
      "usr/lib/absolute": "-> /lib/real",
      "usr/lib/relative": "-> ../../lib/real",
      escape: "-> ../../../../etc/hostname",
      loop: "-> loop",
      "usr/lib/é": "latin",
    }),
  );
  test("symlinks stay inside, and are named", () => {
    expect(root.resolve("/lib/absolute")).toMatchObject({
      path: "/usr/lib/real",
      type: "file",
      links: [
        { path: "/lib", target: "usr/lib" },
        { path: "/usr/lib/absolute", target: "/lib/real" },
      ],
    });
    expect(root.resolve("usr/lib/./relative")?.path).toBe("/usr/lib/real");
    expect(root.resolve("/")?.type).toBe("directory");
  });
  test("what is not there is undefined", () => {
    for (const path of ["/loop", "/escape", "/none", "/usr/lib/real/x"])
      expect(root.resolve(path)).toBeUndefined();
    expect(root.read("/lib")).toBeUndefined();
    expect(root.list("/none")).toEqual([]);
  });
  test("names are bytes", () => {
    expect(root.list("/usr/lib")).toEqual(["absolute", "real", "relative", "\xc3\xa9"]);
    expect(Buffer.from(root.read("/lib/\xc3\xa9") ?? []).toString()).toBe("latin");
  });
});

const libc = { "lib/libc.so.6": makeElf({ soname: "libc.so.6" }) };

function withPath(path: "rpath" | "runpath"): Record<string, Uint8Array> {
  return {
    ...libc,
    "opt/bin/tool": makeElf({ [path]: "$ORIGIN/../one:${ORIGIN}/../two", needed: ["liba.so"] }),
    "opt/one/liba.so": makeElf({ needed: ["libb.so"] }),
    "opt/two/libb.so": makeElf({}),
  };
}

describe("LibraryFinder", () => {
  test("takes the interpreter, the libraries of libraries, and the symlinks to all", () => {
    const tree = {
      "usr/bin/tool": makeElf({ interpreter: "/lib64/ld.so", needed: ["liba.so.1", "libc.so.6"] }),
      "usr/lib/ld.so.real": makeElf({}),
      "usr/lib/liba.so.1.2": makeElf({ soname: "liba.so.1", needed: ["libb.so"] }),
      "usr/lib/liba.so.1": "-> liba.so.1.2",
      "usr/lib/libb.so": makeElf({ needed: ["libc.so.6"] }),
      "usr/lib/libc.so.6": makeElf({ soname: "libc.so.6" }),
      lib: "-> usr/lib",
      lib64: "-> /usr/lib",
      "usr/lib/ld.so": "-> ld.so.real",
      bin: "-> usr/bin",
    };
    expect(closure(tree, "/bin/tool")).toEqual({
      files: [
        "/usr/bin/tool",
        "/usr/lib/ld.so.real",
        "/usr/lib/liba.so.1.2",
        "/usr/lib/libb.so",
        "/usr/lib/libc.so.6",
      ],
      links: [
        "/bin -> usr/bin",
        "/lib64 -> /usr/lib",
        "/usr/lib/ld.so -> ld.so.real",
        "/usr/lib/liba.so.1 -> liba.so.1.2",
      ],
      missing: [],
    });
  });
  test("what is missing is a value", () => {
    const tree = { ...libc, tool: makeElf({ interpreter: "/ld.so", needed: ["libx.so", "libc.so.6"] }) };
    expect(closure(tree, "/tool").missing).toEqual([
      { name: "/ld.so", neededBy: "/tool" },
      { name: "libx.so", neededBy: "/tool" },
    ]);
  });
  test("RUNPATH holds for an object alone, RPATH for what it brings too", () => {
    expect(closure(withPath("rpath"), "/opt/bin/tool").files).toContain("/opt/two/libb.so");
    expect(closure(withPath("runpath"), "/opt/bin/tool").missing).toEqual([
      { name: "libb.so", neededBy: "/opt/one/liba.so" },
    ]);
  });
  test("RPATH counts for nothing in an object that has a RUNPATH, itself or among those that brought another", () => {
    const tree = {
      tool: makeElf({ rpath: "/one", runpath: "/two", needed: ["liba.so"] }),
      "one/libb.so": makeElf({}),
      "two/liba.so": makeElf({ needed: ["libb.so"] }),
    };
    expect(closure(tree, "/tool").missing).toEqual([{ name: "libb.so", neededBy: "/two/liba.so" }]);
  });
  test("an object that asks for its own path alone gets nothing from the usual directories", () => {
    const tool = { runpath: "/own", needed: ["liba.so", "libb.so"] };
    const libraries = { "own/liba.so": makeElf({}), "lib/libb.so": makeElf({}) };
    expect(closure({ ...libraries, tool: makeElf(tool) }, "/tool").missing).toEqual([]);
    expect(
      closure({ ...libraries, tool: makeElf({ ...tool, ownPathAlone: true }) }, "/tool").missing,
    ).toEqual([{ name: "libb.so", neededBy: "/tool" }]);
  });
  test("a library serves all who know it by the name that it calls itself", () => {
    const tree = {
      tool: makeElf({ needed: ["liba.so", "libb.so.1"] }),
      "lib/liba.so": makeElf({ soname: "libb.so.1" }),
    };
    expect(closure(tree, "/tool").missing).toEqual([]);
  });
  test("$LIB and $PLATFORM stand for what ld.so makes of them", () => {
    const tree = {
      tool: makeElf({ runpath: "/opt/$LIB:/opt/${PLATFORM}", needed: ["liba.so", "libb.so"] }),
      "opt/lib/x86_64-linux-gnu/liba.so": makeElf({}),
      "opt/x86_64/libb.so": makeElf({}),
    };
    expect(closure(tree, "/tool").missing).toEqual([]);
  });
  test("a library for another machine is passed over", () => {
    const tree = {
      tool: makeElf({ needed: ["liba.so"] }),
      "lib/x86_64-linux-gnu/liba.so": makeElf({ bits: 32, machine: 3 }),
      "usr/lib/x86_64-linux-gnu/liba.so": makeElf({ littleEndian: false }),
      "lib/liba.so": makeElf({}),
    };
    expect(closure(tree, "/tool").files).toEqual(["/lib/liba.so", "/tool"]);
  });
  test("what only ld.so.conf finds gets a link beside the C library", () => {
    const tree = {
      ...libc,
      tool: makeElf({ needed: ["liba.so", "libc.so.6"] }),
      "opt/a/liba.so": makeElf({}),
      "etc/ld.so.conf": "# comment\ninclude ld.so.conf.d/*.conf\n",
      "etc/ld.so.conf.d/a.conf": "/opt/a/ # what for\ninclude /etc/ld.so.conf # again\n",
      "etc/ld.so.conf.d/a.off": "/nowhere\n",
    };
    expect(closure(tree, "/tool")).toEqual({
      files: ["/lib/libc.so.6", "/opt/a/liba.so", "/tool"],
      links: ["/lib/liba.so -> /opt/a/liba.so"],
      missing: [],
    });
  });
  test("libgcc_s comes with what ends or cancels threads, where it is there", () => {
    const tree = { ...libc, tool: makeElf({ needed: ["libc.so.6"], symbols: ["pthread_exit"] }) };
    const more = { ...tree, "lib/libgcc_s.so.1": makeElf({}) };
    // The C library has the names as well.
    const of = { "lib/libc.so.6": makeElf({ soname: "libc.so.6", symbols: ["pthread_exit"] }) };
    const plain = makeElf({ needed: ["libc.so.6"] });
    expect(closure({ ...more, ...of, tool: plain }, "/tool").files).toEqual(["/lib/libc.so.6", "/tool"]);
    expect(closure(tree, "/tool").missing).toEqual([]);
    expect(closure(more, "/tool").files).toContain("/lib/libgcc_s.so.1");
  });
  test("scripts bring their interpreters, static programs nothing", () => {
    const tree = {
      script: "#! /bin/env  python3 -x\n",
      "bin/env": makeElf({}),
      "usr/bin/python3": "#!/bin/static\n",
      "bin/static": makeElf({}),
      itself: "#!/itself\n",
    };
    expect(closure(tree, "/script").files).toEqual([
      "/bin/env",
      "/bin/static",
      "/script",
      "/usr/bin/python3",
    ]);
    for (const first of ["env -S python3 -x", "env -S  A=b python3", "env -i python3", "env -Spython3 -x"])
      expect(closure({ ...tree, script: `#!/bin/${first}\n` }, "/script").files).toContain(
        "/usr/bin/python3",
      );
    expect(closure(tree, "/itself").files).toEqual(["/itself"]);
  });
  test("a program that is not there, and a damaged one, are sentences", () => {
    expect(() => closure({}, "/tool")).toThrow("The program /tool does not exist.");
    expect(() => closure({ script: "#!/bin/sh\n" }, "/script")).toThrow(
      "The program /bin/sh, which /script needs, does not exist.",
    );
    expect(() => closure({ tool: makeElf({ needed: ["x"] }).subarray(0, 100) }, "/tool")).toThrow(
      "/tool can't be put into an image: it is cut short or damaged.",
    );
  });
});

const PROGRAMS = [
  "sh",
  "ls",
  "bash",
  "mdadm",
  "lvm",
  "cryptsetup",
  "mkfs.ext4",
  "qemu-system-x86_64",
  "gdb",
  "bun",
]
  .map((name) => Bun.which(name, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }))
  .filter((path) => path !== null);

describe("ldd(1) finds the same", () => {
  test("for several programs", () => {
    expect(PROGRAMS.length).toBeGreaterThan(2);
  });
  for (const program of PROGRAMS)
    test(`for ${program}`, () => {
      const { stdout } = Bun.spawnSync(["ldd", program]);
      const listed = stdout
        .toString()
        .split("\n")
        .flatMap((line) => /(?:=> |^\t)(\/\S+) \(/.exec(line)?.slice(1, 2) ?? []);
      const expected = new Set([program, ...listed].map((path) => realpathSync(path)));
      const { files, missing } = new LibraryFinder(new RootTree("/")).find([program]);
      // libgcc_s may come besides: see libs.ts.
      const found = new Set(
        [...files.keys()].filter((path) => expected.has(path) || !path.includes("libgcc_s")),
      );
      expect([...found].sort()).toEqual([...expected].sort());
      expect(missing).toEqual([]);
    });
});
