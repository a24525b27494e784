import { describe, expect, test } from "bun:test";
import { warnIfCutShort } from "../../../src/boot/imagecheck.ts";
import { type Tree, fakeKernel } from "../../../syscalls/fake.ts";
import { bootOn } from "../../fixtures/disks-in-memory.ts";

function check(rdinit: Tree | undefined): string[] {
  const { sys } = fakeKernel({ rootfs: rdinit === undefined ? {} : { etc: { rdinit } } });
  const { boot, lines } = bootOn(sys);
  warnIfCutShort(boot);
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
