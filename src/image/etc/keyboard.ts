/**
 * The keyboard and the font of the console, so that a passphrase is typed as its owner learned it.
 *
 * An image holds one keymap as /etc/rdinit/keymap, for `loadkeys FILE`, and one font as /etc/rdinit/font, for
 * `setfont FILE`, both whole and unpacked; neither where the kernel's own (US English) are meant.
 */

import { fontFile, keymapFile } from "../../boot/prompt/keyboard.ts";
import { fromBytes, text, toBytes } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import type { MadeFile, Part } from "../part.ts";
import { findProgram } from "../recipes/look.ts";
import { readAssignments } from "./assignments.ts";
import { findFont, findKeymap } from "./keymap.ts";

/** What the configuration of a root asks for: names or absolute paths. */
interface Console {
  readonly keymap: string | undefined;
  /** The keymap as people know it. */
  readonly layout: string;
  readonly font: string | undefined;
}

/** The console as vconsole.conf(5) describes it, or Debian's console-setup(5) and keyboard(5). */
export function keyboardPart(root: FileTree): Part[] {
  const { keymap, layout, font } = readConsole(root);
  const made: MadeFile[] = [];
  const programs: string[] = [];
  const notes: string[] = [];
  if (keymap !== undefined) {
    const found = findKeymap(root, keymap);
    const loader = findProgram(root, "loadkeys");
    if ("problem" in found) notes.push(missing(layout, found.problem));
    else if (loader === undefined)
      notes.push(missing(layout, "The program loadkeys is missing (Debian's package is kbd)."));
    else {
      made.push({ to: keymapFile, data: toBytes(found.keymap) });
      programs.push(loader);
    }
  }
  const setter = findProgram(root, "setfont");
  const data = font !== undefined && setter !== undefined ? findFont(root, font) : undefined;
  if (data && setter !== undefined) {
    made.push({ to: fontFile, data });
    programs.push(setter);
  } else if (font !== undefined)
    notes.push(`The console font ${text(font)} is not in the image: it or setfont is missing.`);
  return made.length + notes.length === 0 ? [] : [{ why: "the keyboard", made, programs, notes }];
}

function missing(layout: string, problem: string): string {
  return `The keyboard layout ${text(layout)} is not in the image. ${problem} Keys will mean what they mean in the US.`;
}

function readConsole(root: FileTree): Console {
  const vconsole = read(root, "/etc/vconsole.conf");
  const name = vconsole.get("KEYMAP");
  if (name === undefined && !vconsole.has("FONT")) return readDebian(root);
  const font = vconsole.get("FONT");
  return {
    keymap: name === undefined || ["", "us", "@kernel"].includes(name) ? undefined : name,
    layout: name ?? "",
    font: font === "" ? undefined : font,
  };
}

// console-setup keeps the keymap that it made of the X layout, and the font: setupcon(1).
function readDebian(root: FileTree): Console {
  const keyboard = read(root, "/etc/default/keyboard");
  const setup = read(root, "/etc/default/console-setup");
  const layout = ["XKBLAYOUT", "XKBVARIANT", "XKBOPTIONS"].map((key) => keyboard.get(key) ?? "");
  const isPlain = (layout[0] === "us" || layout[0] === "") && layout[1] === "" && layout[2] === "";
  const charmap = setup.get("CHARMAP") ?? "UTF-8";
  const cached = root
    .list(CACHE)
    .filter((file) => file.startsWith(`cached_${charmap}_`) && /\.kmap(?:\.gz)?$/.test(file))
    // "del", what PC keyboards have, comes before other kinds of the backspace key.
    .sort((a, b) => Number(b.includes("_del")) - Number(a.includes("_del")));
  const face = setup.get("FONTFACE") ?? "";
  const size = setup.get("FONTSIZE") ?? "";
  const isUsual = /^(?:8x16|16|)$/.test(size);
  const font = root.list(CACHE).find((file) => /^cached_.*\.psf(?:\.gz)?$/.test(file) && file.includes(face));
  return {
    keymap: isPlain ? undefined : `${CACHE}/${cached[0] ?? `cached_${charmap}_del.kmap.gz`}`,
    layout: layout.filter((word) => word !== "").join(" "),
    font: isUsual || font === undefined ? undefined : `${CACHE}/${font}`,
  };
}

const CACHE = "/etc/console-setup";

function read(root: FileTree, path: string): Map<string, string> {
  return readAssignments(fromBytes(root.read(path) ?? new Uint8Array(0)));
}
