import { describe, expect, test } from "bun:test";
import { checkInit, checkPrograms, checkWhole } from "../../../src/check/contents.ts";
import { checkModules, readImageModules } from "../../../src/check/kernel.ts";
import { checkMemory } from "../../../src/check/machine.ts";
import { ArchiveTree } from "../../../src/image/archive-tree.ts";
import { type Archive, readImage } from "../../../src/image/archive.ts";
import { type CpioEntry, writeCpio } from "../../../src/image/cpio.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { makeElf } from "../../fixtures/elf.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

// Directories are made for all files; what ends in / is one itself.
function archiveOf(files: Files, mode = 0o755): Archive {
  const directories = new Set(
    Object.keys(files).flatMap((path) =>
      path.split("/").map((_, depth, all) => all.slice(0, depth).join("/")),
    ),
  );
  directories.delete("");
  const entries: CpioEntry[] = [
    ...[...directories].sort().map((path) => ({ type: "directory", path, mode: 0o755 }) as const),
    ...Object.entries(files).map(
      ([path, content]) =>
        ({
          type: "file",
          path,
          mode,
          data: typeof content === "string" ? Buffer.from(content) : content,
        }) as const,
    ),
  ];
  return readImage(new Uint8Array(Buffer.concat([...writeCpio(entries)])));
}

function treeOf(files: Files, mode?: number): ArchiveTree {
  return new ArchiveTree(archiveOf(files, mode), "x.img");
}

function sentences(findings: readonly { kind: string; sentence: string }[]): string[] {
  return findings.map(({ kind, sentence }) => `${kind}: ${sentence}`);
}

describe("checkWhole", () => {
  test("an image whose end is missing was cut short", () => {
    const cut = archiveOf({ "etc/rdinit/image.json": "{}" });
    expect(sentences(checkWhole(cut, new ArchiveTree(cut, "x")))).toEqual([
      "error: It was cut short: its last file is missing. Copy it again, or build it anew.",
    ]);
    const whole = archiveOf({ "etc/rdinit/image.json": "{}", "etc/rdinit/end": "" });
    expect(checkWhole(whole, new ArchiveTree(whole, "x"))).toEqual([]);
  });
  test("damage is told", () => {
    const bytes = new Uint8Array(
      Buffer.concat([...writeCpio([{ type: "file", path: "a", mode: 0o644, data: Buffer.from("abc") }])]),
    );
    const cut = readImage(bytes.subarray(0, 100), "x.img");
    expect(sentences(checkWhole(cut, new ArchiveTree(cut, "x.img")))).toEqual([
      expect.stringMatching(/^error: x\.img is damaged .* it ends inside a header/),
    ]);
  });
});

describe("checkInit", () => {
  test("there must be one that can be started", () => {
    const console = "warning: It has no /dev/console: until /init mounts /dev, messages are lost.";
    expect(sentences(checkInit(treeOf({ other: "" }), ""))).toEqual([
      "error: It has no /init, so the kernel would start nothing of it.",
      console,
    ]);
    expect(sentences(checkInit(treeOf({ init: "" }, 0o644), ""))).toEqual([
      "error: /init is no executable file, so the kernel can't start it.",
      console,
    ]);
    expect(sentences(checkInit(treeOf({ init: "#!/bin/sh" }), ""))).toEqual([
      "warning: /init is no rdinit: what it does with the command line is not known here.",
      console,
    ]);
  });
  test("rdinit= names another one", () => {
    expect(sentences(checkInit(treeOf({ init: "" }), "rdinit=/bin/start quiet"))[0]).toBe(
      "error: It has no /bin/start, so the kernel would start nothing of it.",
    );
  });
});

describe("checkPrograms", () => {
  test("libraries and interpreters that are missing, once each, with who needs them", () => {
    const tree = treeOf({
      "bin/a": makeElf({ interpreter: "/lib64/ld.so", needed: ["libx.so.1"] }),
      "bin/b": makeElf({ interpreter: "/lib64/ld.so", needed: ["libx.so.1", "liby.so.2"] }),
      "lib64/ld.so": makeElf({}),
      "lib/liby.so.2": makeElf({ soname: "liby.so.2", needed: ["libz.so.3"] }),
      "usr/lib/plugin.so": makeElf({ needed: ["libw.so"] }),
      "etc/script": "#!/bin/sh\n",
      "lib/modules/6/kernel/x.ko": makeElf({ needed: ["libnothing.so"] }),
    });
    expect(sentences(checkPrograms(tree)).sort()).toEqual([
      "error: The library libx.so.1 is missing, which /bin/a and /bin/b need.",
      "error: The library libz.so.3 is missing, which /lib/liby.so.2 needs.",
      "error: The program /bin/sh, which /etc/script needs, does not exist. Install it, or leave it out.",
      "warning: The library libw.so is missing, which /usr/lib/plugin.so needs.",
    ]);
  });
});

describe("checkModules", () => {
  const root = new RootTree(temporaryTree({ "lib/modules/6.1/modules.dep": "" }));
  const files = {
    "lib/modules/6.1/modules.dep": "kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n",
    "lib/modules/6.1/kernel/a.ko": "",
  };
  test("modules.dep and the files must agree", () => {
    expect(sentences(checkModules(treeOf(files), root, undefined))).toEqual([
      "error: The module kernel/b.ko is missing, though modules.dep lists it.",
    ]);
    expect(sentences(checkModules(treeOf({ "lib/modules/6.1/x": "" }), root, undefined))).toEqual([
      "error: /lib/modules/6.1 has no modules.dep, so /init could load none of its modules.",
    ]);
  });
  test("the kernel is the one that was asked for, or one that is installed", () => {
    const whole = treeOf({ ...files, "lib/modules/6.1/kernel/b.ko": "" });
    expect(checkModules(whole, root, undefined)).toEqual([]);
    expect(sentences(checkModules(whole, root, "6.2"))).toEqual([
      "error: It has no modules for the kernel 6.2, but for 6.1.",
    ]);
    const other = new RootTree(temporaryTree({ "lib/modules/6.3/modules.dep": "" }));
    expect(sentences(checkModules(whole, other, undefined))).toEqual([
      "warning: It is for the kernel 6.1, which is not installed here (6.3 is).",
    ]);
    expect(readImageModules(whole, undefined)?.release).toBe("6.1");
    expect(readImageModules(whole, "6.2")).toBeUndefined();
  });
});

test("checkMemory counts the file and what is unpacked of it", () => {
  const size = { file: 60_000_000, unpacked: 70_000_000 };
  expect(checkMemory(size, 226_000_000).map(({ kind }) => kind)).toEqual(["fact"]);
  expect(checkMemory(size, 225_000_000).map(({ kind }) => kind)).toEqual(["error"]);
});
