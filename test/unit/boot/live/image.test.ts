import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDisk } from "../../../../qemu/disks.ts";
import {
  HEAD_BYTES,
  describeCut,
  describeMissing,
  measureImage,
  mebibytes,
} from "../../../../src/boot/live/image.ts";
import { temporaryDirectory } from "../../../fixtures/temporary.ts";

const dir = temporaryDirectory();

describe("an image", () => {
  for (const type of ["squashfs", "erofs"] as const)
    test(`${type} says how long it is`, async () => {
      const file = join(dir, type);
      const more = Array.from(
        { length: 300 },
        (_, at) => ({ path: `/f${at}`, kind: "text", text: `${at} of ${type}` }) as const,
      );
      await makeDisk({ file, type, tree: more });
      const bytes = readFileSync(file);
      const measured = measureImage(bytes.subarray(0, HEAD_BYTES));
      expect(measured?.type).toBe(type);
      // mksquashfs fills its last page up.
      expect(bytes.length - (measured?.size_bytes ?? 0)).toBeWithin(0, 4096);
      expect(describeCut("x", measured, bytes.length)).toBeUndefined();
    });

  test("of another kind, or too short for a superblock, says nothing", () => {
    expect(measureImage(new Uint8Array(HEAD_BYTES))).toBeUndefined();
    expect(measureImage(new Uint8Array(0))).toBeUndefined();
    expect(measureImage(Buffer.from("hsqs"))).toBeUndefined();
    expect(describeCut("x", undefined, 5)).toBeUndefined();
  });

  test("that is cut short is told", () => {
    expect(describeCut("The image", { type: "squashfs", size_bytes: 4097 }, 4096)).toBe(
      "The image is cut short: the squashfs says that it has 4097 bytes, and only 4096 are there.",
    );
  });

  test("that is not there: what is there instead", () => {
    expect(describeMissing("/dev/vda", "LiveOS", "squashfs.img", ["a\n", "b"], [])).toBe(
      "/dev/vda has no image LiveOS/squashfs.img: LiveOS holds a\\n, b.",
    );
    expect(describeMissing("/dev/vda", "LiveOS", "squashfs.img", undefined, ["boot", "os"])).toBe(
      "/dev/vda has no image LiveOS/squashfs.img: it has no directory LiveOS, but boot, os.",
    );
    expect(describeMissing("/dev/vda", "", "x", [], [])).toBe("/dev/vda has no image x: it holds nothing.");
    const many = Array.from({ length: 30 }, (_, at) => `n${at}`);
    expect(describeMissing("/dev/vda", "d", "x", many, [])).toEndWith(", n18, n19 and 10 more.");
  });

  test("lengths are rounded up", () =>
    expect([0, 1, 2 ** 20, 2 ** 20 + 1].map(mebibytes)).toEqual(["0 MiB", "1 MiB", "1 MiB", "2 MiB"]));
});
