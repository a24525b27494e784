import { describe, expect, test } from "bun:test";
import { readAssignments } from "../../../../src/image/etc/assignments.ts";
import { keyboardPart } from "../../../../src/image/etc/keyboard.ts";
import { findFont, findKeymap } from "../../../../src/image/etc/keymap.ts";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { temporaryTree } from "../../../fixtures/temporary.ts";

type Files = Record<string, string | Uint8Array>;
const tree = (files: Files) => new RootTree(temporaryTree({ "etc/hostname": "x", ...files }));
const part = (files: Files) => keyboardPart(tree(files))[0];
const made = (files: Files) =>
  Object.fromEntries(
    (part(files)?.made ?? []).map(({ to, data }) => [to, Buffer.from(data).toString("latin1")]),
  );

const KBD: Files = {
  "usr/bin/loadkeys": "",
  "usr/bin/setfont": "",
  "usr/share/keymaps/i386/qwertz/de.kmap.gz": Bun.gzipSync('include "base"\nkeycode 40 = adiaeresis\n'),
  "usr/share/keymaps/i386/include/base.inc": "keycode 1 = Escape\n",
  "usr/share/keymaps/mac/de.map": "keycode 40 = mac\n",
  "usr/share/consolefonts/big.psf.gz": Bun.gzipSync("PSF"),
};

describe("vconsole.conf", () => {
  test("its keymap comes in one piece, its font unpacked, and the programs that load them", () => {
    const files = { ...KBD, "etc/vconsole.conf": 'KEYMAP="de"\nFONT=big\n' };
    expect(made(files)).toEqual({
      "/etc/rdinit/keymap": "keycode 1 = Escape\n\nkeycode 40 = adiaeresis\n",
      "/etc/rdinit/font": "PSF",
    });
    expect(part(files)).toMatchObject({ programs: ["/usr/bin/loadkeys", "/usr/bin/setfont"], notes: [] });
  });
  test("the kernel's own keymap takes nothing", () => {
    for (const name of ["us", "", "@kernel"])
      expect(part({ ...KBD, "etc/vconsole.conf": `KEYMAP=${name}\n` })).toBeUndefined();
  });
  test("what is missing is a sentence", () => {
    expect(part({ ...KBD, "etc/vconsole.conf": "KEYMAP=xx\nFONT=none\n" })?.notes).toEqual([
      "The keyboard layout xx is not in the image. The keymap xx is not installed. Keys will mean what they mean in the US.",
      "The console font none is not in the image: it or setfont is missing.",
    ]);
    const { "usr/bin/loadkeys": _, ...others } = KBD;
    expect(part({ ...others, "etc/vconsole.conf": "KEYMAP=de\n" })?.notes?.[0]).toContain(
      "The program loadkeys is missing (Debian's package is kbd).",
    );
  });
});

describe("Debian's console-setup", () => {
  const cached = { "etc/console-setup/cached_UTF-8_del.kmap.gz": Bun.gzipSync("keycode 21 = z\n") };
  test("the keymap that it keeps", () => {
    const files = { ...KBD, ...cached, "etc/default/keyboard": 'XKBLAYOUT="de"\nXKBVARIANT=""\n' };
    expect(made(files)).toEqual({ "/etc/rdinit/keymap": "keycode 21 = z\n" });
  });
  test("nothing for a plain US keyboard, and none at all", () => {
    expect(
      part({ ...KBD, ...cached, "etc/default/keyboard": 'XKBLAYOUT="us"\nXKBVARIANT=""\n' }),
    ).toBeUndefined();
    expect(part({})).toBeUndefined();
    expect(
      made({ ...KBD, ...cached, "etc/default/keyboard": "XKBLAYOUT=us\nXKBVARIANT=dvorak\n" }),
    ).not.toEqual({});
  });
  test("of several that it keeps the one for the backspace key of PCs", () => {
    const files = {
      ...cached,
      "etc/console-setup/cached_UTF-8_bs.kmap.gz": Bun.gzipSync("keycode 14 = BackSpace\n"),
      "etc/console-setup/cached_ISO-8859-1_del.kmap.gz": Bun.gzipSync("other"),
    };
    expect(made({ ...KBD, ...files, "etc/default/keyboard": "XKBLAYOUT=de\n" })).toEqual({
      "/etc/rdinit/keymap": "keycode 21 = z\n",
    });
  });
  test("one that was never kept is a sentence", () => {
    expect(part({ ...KBD, "etc/default/keyboard": "XKBLAYOUT=de\n" })?.notes?.[0]).toContain(
      "The keyboard layout de is not in the image. The keymap /etc/console-setup/cached_UTF-8_del.kmap.gz is not installed.",
    );
  });
  test("a font of another size than the usual", () => {
    const font = { "etc/console-setup/cached_Lat15-Terminus32x16.psf.gz": Bun.gzipSync("PSF") };
    const setup = { "etc/default/console-setup": "FONTFACE=Terminus\nFONTSIZE=16x32\n" };
    expect(made({ ...KBD, ...font, ...setup })).toEqual({ "/etc/rdinit/font": "PSF" });
    const usual = { "etc/default/console-setup": "FONTFACE=Terminus\nFONTSIZE=8x16\n" };
    expect(part({ ...KBD, ...font, ...usual })).toBeUndefined();
  });
});

describe("keymaps", () => {
  test("one that includes itself ends in a sentence", () => {
    const root = tree({ "usr/share/keymaps/i386/x.map": 'include "x.map"\n' });
    expect(findKeymap(root, "x")).toEqual({
      problem: "The keymap /usr/share/keymaps/i386/x.map includes x.map, which can't be had.",
    });
  });
  test("those made of X layouts come first, then those for PCs; pieces are none", () => {
    const maps = {
      "usr/share/keymaps/atari/x.map": "atari",
      "usr/share/keymaps/i386/qwerty/x.map": "i386",
      "usr/share/keymaps/i386/include/piece.map": "",
    };
    expect(findKeymap(tree(maps), "x")).toEqual({ keymap: "i386" });
    expect(findKeymap(tree({ ...maps, "usr/share/keymaps/xkb/x.map": "xkb" }), "x")).toEqual({
      keymap: "xkb",
    });
    expect(findKeymap(tree(maps), "piece")).toEqual({ problem: "The keymap piece is not installed." });
  });
  test("a file by its path", () => {
    expect(findKeymap(tree({ "a.map": "1" }), "/a")).toEqual({ keymap: "1" });
    expect(findFont(tree({ "usr/lib/kbd/consolefonts/f.psfu": "P" }), "f")).toEqual(Buffer.from("P"));
    expect(findFont(tree({}), "f")).toBeUndefined();
  });
});

test("assignments: quotes, comments, the last one counts", () => {
  const values = readAssignments('# A=1\nA=2\n export B=\'x y\'"z" # c\nC=a b\nA="3\\""\nnot one\nD=\n');
  expect([...values]).toEqual([
    ["A", '3"'],
    ["B", "x yz"],
    ["C", "a"],
    ["D", ""],
  ]);
});
