import { describe, expect, test } from "bun:test";
import { includedFiles } from "../../../src/image/includes.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const root = new RootTree(
  temporaryTree({ "etc/key": "k", "etc/more/a": "a", "etc/more/b/c": "c", link: "-> etc/key" }),
);

describe("includedFiles", () => {
  test("what has no place of its own stays where it is", () => {
    expect(includedFiles(root, ["/etc/key"])).toEqual({
      parts: [{ why: "--include", files: ["/etc/key"], wins: true }],
      files: [],
    });
  });
  test("what has one moves there, a directory with all below it", () => {
    expect(includedFiles(root, ["/link:/boot.key"]).files).toEqual([
      { to: "/boot.key", from: root.outside("/etc/key"), mode: 0o755 },
    ]);
    expect(includedFiles(root, ["/etc/more:/x"]).files.map(({ to }) => to)).toEqual(["/x/a", "/x/b/c"]);
  });
  test("symlinks below a directory stay symlinks, wherever they lead", () => {
    const tree = { "d/f": "f", "d/near": "-> f", "d/far": "-> /nowhere", "d/round": "-> ." };
    expect(includedFiles(new RootTree(temporaryTree(tree)), ["/d:/x"]).files).toMatchObject([
      { to: "/x/f" },
      { to: "/x/far", link: "/nowhere" },
      { to: "/x/near", link: "f" },
      { to: "/x/round", link: "." },
    ]);
  });
  test("the rest is a sentence", () => {
    expect(() => includedFiles(root, ["etc/key"])).toThrow("--include etc/key makes no sense.");
    expect(() => includedFiles(root, ["/etc/key:x"])).toThrow("makes no sense");
    expect(() => includedFiles(root, ["/none:/x"])).toThrow("/none, which --include names, does not exist.");
    for (const wish of ["/dev/null:/x", "/dev:/x"])
      expect(() => includedFiles(new RootTree("/"), [wish])).toThrow(
        /which --include names, is no file that an image can hold\.$/,
      );
  });
});
