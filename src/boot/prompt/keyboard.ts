/**
 * The layout of the keyboard and the font of the console, as the image has them (image/etc/keyboard.ts): loaded before
 * somebody is asked or gets a shell. Other boots leave the console to the real system as the kernel made it.
 */

import { describeEnd, runChild, succeeded } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { isThere } from "../devices/attributes.ts";

/** For `loadkeys FILE` and `setfont FILE`: whole, and not compressed. */
export const keymapFile = "/etc/rdinit/keymap";
export const fontFile = "/etc/rdinit/font";

/** Loads what the image has of both, where there is a virtual console (loadkeys(1), setfont(8)). Never fails. */
export async function setUpConsole(boot: Boot): Promise<void> {
  if (!isThere(boot.sys, screen)) return;
  for (const { program, file, otherwise } of settings) {
    if (!isThere(boot.sys, file)) continue;
    const { end } = await runChild(boot, {
      argv: [program, "-C", screen, file],
      name: program,
      title: program,
      show: "never",
      deadline_ms,
    });
    if (!succeeded(end)) boot.log.warning(`${program} ${describeEnd(end)}: ${otherwise}.`);
  }
}

/** The virtual console in front. Their keyboard is one, and new ones take over the font. */
const screen = "/dev/tty0";

/** Each takes some hundredths of a second. */
const deadline_ms = 10_000;

const settings = [
  { program: "loadkeys", file: keymapFile, otherwise: "keys mean what they mean in the US" },
  { program: "setfont", file: fontFile, otherwise: "the console keeps the font that it has" },
] as const;
