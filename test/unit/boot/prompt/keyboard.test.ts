/** When the image's keymap and font are loaded, and what is said where that can't be done. */

import { expect, test } from "bun:test";
import type { Boot } from "../../../../src/boot/context.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { fontFile, keymapFile, setUpConsole } from "../../../../src/boot/prompt/keyboard.ts";
import { noTiming } from "../../../../src/boot/timing/timing.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { linuxSyscalls } from "../../../../syscalls/native.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { legacy } from "../../../fixtures/early-machine.ts";

/** What is run and said on a machine that has these paths, and no programs. */
async function said(...there: readonly string[]): Promise<string[]> {
  const sys = intercept(linuxSyscalls(), (call, proceed) => {
    if (call.name !== "access") return proceed();
    if (there.includes(String(call.args[0]))) return undefined;
    throw refusalOf("access", call.args, "ENOENT");
  });
  const { log, lines } = collectLog();
  const { options } = readOptions([]);
  const boot: Boot = { sys, log, options, words: [], legacy, reaper: new Reaper(sys), timing: noTiming };
  await setUpConsole(boot);
  return lines;
}

test("what the image has of both, on the virtual console in front", async () => {
  const lines = await said("/dev/tty0", keymapFile, fontFile);
  expect(lines.filter((line) => line.includes("running"))).toEqual([
    `debug: running loadkeys -C /dev/tty0 ${keymapFile}`,
    `debug: running setfont -C /dev/tty0 ${fontFile}`,
  ]);
  expect(lines.filter((line) => line.startsWith("warning"))).toEqual([
    "warning: loadkeys is not in the image: keys mean what they mean in the US.",
    "warning: setfont is not in the image: the console keeps the font that it has.",
  ]);
});

test("nothing where the image has neither, and where there is no virtual console", async () => {
  expect(await said("/dev/tty0")).toEqual([]);
  expect(await said(keymapFile, fontFile)).toEqual([]);
});
