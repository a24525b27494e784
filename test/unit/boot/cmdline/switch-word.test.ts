import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { readFstabSettings } from "../../../../src/boot/mount/fstab-plan.ts";
import { readSwitchWord, switchValue } from "../../../../src/boot/cmdline/switch-word.ts";

test("a switch knows its words, and no names that every object has", () => {
  expect(["1", "yes", "on", "true"].map(switchValue)).toEqual([true, true, true, true]);
  expect(["0", "no", "off", "false"].map(switchValue)).toEqual([false, false, false, false]);
  for (const word of ["", "2", "constructor", "toString", "__proto__"])
    expect(switchValue(word)).toBeUndefined();
  const { settings, complaints } = readFstabSettings(parseCommandLine("rd.fstab=constructor"));
  expect([settings.automatic, complaints.length]).toEqual([true, 1]);
});

test("the last word that makes sense counts", () => {
  const parameter = { name: "rd.x", usage: "rd.x=0|1" };
  expect(readSwitchWord(parseCommandLine("rd.x=0 rd.x=maybe"), parameter, true)).toEqual({
    on: false,
    complaints: ["rd.x=maybe is ignored: it is neither 0 nor 1. Usage: rd.x=0|1."],
  });
  expect(readSwitchWord(parseCommandLine("rd.x=0 rd.x"), parameter, false).on).toBe(true);
});
