import { describe, expect, test } from "bun:test";
import {
  defaultPlace,
  describeLimit,
  inDirectory,
  inImage,
  inMemory,
  overlayOptions,
  stackLayers,
} from "../../../../src/boot/live/overlay-plan.ts";

describe("an overlay over the root", () => {
  test("in memory", () => {
    expect(overlayOptions(stackLayers(inMemory, undefined))).toBe(
      "lowerdir=/run/rootfsbase,upperdir=/run/overlayfs/upper,workdir=/run/overlayfs/work",
    );
  });

  test("in a directory of a disk, the kernel's own directory beside it", () => {
    expect(inDirectory("/run/initramfs/overlayfs/LiveOS/overlay-a-b")).toEqual({
      upper: "/run/initramfs/overlayfs/LiveOS/overlay-a-b",
      work: "/run/initramfs/overlayfs/LiveOS/ovlwork",
    });
  });

  test("in memory over one that stays as it is", () => {
    expect(overlayOptions(stackLayers(inMemory, inImage.upper))).toStartWith(
      "lowerdir=/run/initramfs/overlayimage/overlayfs:/run/rootfsbase,upperdir=/run/overlayfs/upper,",
    );
  });

  test("what would end a path is escaped", () => {
    expect(overlayOptions({ lower: ["/a:b,c", "/d"], upper: "/u:1,2", work: "/w\\" })).toBe(
      "lowerdir=/a\\:b\\,c:/d,upperdir=/u:1\\,2,workdir=/w\\\\",
    );
  });

  test("is named after the root's device", () => {
    expect(defaultPlace("LiveOS", "Fedora", "1-2")).toBe("LiveOS/overlay-Fedora-1-2");
    expect(defaultPlace("", "a/b", undefined)).toBe("overlay-a_b-");
  });

  test("and its limit is said", () => {
    expect([describeLimit("64m"), describeLimit("50%")]).toEqual(["at most 64 MiB", "at most 50% of it"]);
  });
});
