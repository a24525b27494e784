import { describe, expect, test } from "bun:test";
import { warnIfCutShort } from "../../../src/boot/imagecheck.ts";
import { readOptions } from "../../../src/boot/cmdline/options.ts";
import { Reaper } from "../../../src/boot/children/reaper.ts";
import { noTiming } from "../../../src/boot/timing/timing.ts";
import { type Tree, fakeKernel } from "../../../syscalls/fake.ts";
import { collectLog } from "../../fixtures/collect-log.ts";

function check(rdinit: Tree | undefined): string[] {
  const { log, lines } = collectLog();
  const { sys } = fakeKernel({ rootfs: rdinit === undefined ? {} : { etc: { rdinit } } });
  const legacy = { args: [], env: [], openFiles: { soft: 0n, hard: 0n } };
  warnIfCutShort({
    sys,
    log,
    options: readOptions([]).options,
    words: [],
    legacy,
    reaper: new Reaper(sys),
    timing: noTiming,
  });
  return lines;
}

describe("an image of our builder", () => {
  test("that is whole", () => expect(check({ "image.json": "{}", end: "" })).toEqual([]));
  test("that lacks its last file was cut short", () => {
    expect(check({ "image.json": "{}" })).toEqual([
      expect.stringContaining("error: The initramfs was cut short"),
    ]);
  });
});

describe("an image that someone else made", () => {
  test("has neither file, and is not judged", () => expect(check(undefined)).toEqual([]));
  test("nor by the last alone", () => expect(check({ end: "" })).toEqual([]));
});
