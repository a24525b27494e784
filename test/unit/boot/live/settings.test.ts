import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { withoutLive } from "../../../../src/boot/live/overlay-words.ts";
import { liveParameters, readLiveSettings, wantsOverlay } from "../../../../src/boot/live/settings.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";

function read(line: string) {
  return readLiveSettings(parseCommandLine(line));
}

const label = (value: string) => ({ kind: "tag", tag: "LABEL", value, partitionOffset: 0 }) as const;

const limits = (line: string) => {
  const { wanted, disk, size, limits: more } = read(line).settings.overlay;
  return [wanted, disk, size, ...more];
};

describe("parameters of live images", () => {
  test("a root is one when root= or rd.live.image says so", () => {
    for (const line of [
      "root=live:LABEL=x",
      "root=LIVE:/dev/sr0",
      "root=CDLABEL=x",
      "root=/dev/vda rd.live.image",
    ])
      expect(read(line).settings.live).toBe(true);
    for (const line of ["", "root=LABEL=live:x", "root=/dev/live", "root=/dev/vda rd.live.image=0"])
      expect(read(line).settings.live).toBe(false);
  });

  test("its device is named as any other", () => {
    expect(withoutLive("live:CDLABEL=Fedora 40")).toBe("LABEL=Fedora 40");
    expect(withoutLive("live:/dev/vda")).toBe("/dev/vda");
    expect(withoutLive("block:LABEL=x")).toBe("LABEL=x");
    expect(withoutLive("CDLABEL=x")).toBe("LABEL=x");
    expect(withoutLive("LABEL=live:x")).toBe("LABEL=live:x");
    expect(readOptions(parseCommandLine("root=live:UUID=1-2")).options.root).toBe("UUID=1-2");
  });

  test("where the image lies", () => {
    expect(read("").settings).toMatchObject({ directory: "LiveOS", image: "squashfs.img", toMemory: false });
    const line = "rd.live.dir=/os//images/ rd.live.squashimg=./root.erofs rd.live.ram";
    expect(read(line).settings).toMatchObject({
      directory: "os/images",
      image: "root.erofs",
      toMemory: true,
    });
    expect(read("rd.live.dir=/").settings.directory).toBe("");
    expect(read("iso-scan/filename=//boot/live.iso").settings.iso).toBe("boot/live.iso");
    expect(read("iso-scan/filename=../live.iso").complaints).toHaveLength(1);
    expect(read("rd.live.dir=a/../.. rd.live.squashimg=/ rd.live.ram=2").complaints).toEqual([
      "rd.live.dir=a/../.. is ignored: it is no path on the device. Usage: rd.live.dir=PATH.",
      "rd.live.squashimg=/ is ignored: it is no path on the device. Usage: rd.live.squashimg=NAME.",
      "rd.live.ram=2 is ignored: it is neither 0 nor 1. Usage: rd.live.ram=0|1.",
    ]);
  });
});

describe("parameters of overlays", () => {
  test("in a tmpfs with limits of its own", () => {
    expect(limits("rd.overlay=tmpfs:size=32M,nr_inodes=100000")).toEqual([
      true,
      undefined,
      "32M",
      "nr_inodes=100000",
    ]);
    expect(limits("rd.overlay=tmpfs")).toEqual([true, undefined, "50%"]);
    expect(limits("rd.overlay=LABEL=x rd.overlay=tmpfs:size=25%")).toEqual([true, undefined, "25%"]);
    expect(limits("rd.overlay=LABEL=tmpfs").slice(0, 2)).toEqual([
      true,
      { device: label("tmpfs"), path: undefined },
    ]);
    for (const bad of ["size=", "size=0", "size=101%", "mode=0777", "size=1M;x"])
      expect(read(`rd.overlay=tmpfs:${bad}`).complaints).toHaveLength(1);
  });

  test("a live image has one, another root when it is asked for", () => {
    for (const [line, wanted] of [
      ["", false],
      ["root=live:/dev/vda", true],
      ["root=live:/dev/vda rd.live.overlay=none", false],
      ["root=live:/dev/vda rd.overlay=0", false],
      ["rd.overlay", true],
      ["rd.overlay=1", true],
      ["rd.overlayfs=1", true],
      ["rd.live.overlay.overlayfs", true],
      ["rd.overlay=LABEL=x", true],
      ["rd.overlay=LABEL=x rd.overlay=0", false],
    ] as const)
      expect([line, wantsOverlay(read(line).settings)]).toEqual([line, wanted]);
  });

  test("a disk, with a place on it or without", () => {
    for (const [value, disk] of [
      ["LABEL=x", { device: label("x"), path: undefined }],
      ["CDLABEL=x:auto", { device: label("x"), path: undefined }],
      ["LABEL=x:/a//b/", { device: label("x"), path: "a/b" }],
      ["/dev/sdb1:over.img", { device: { kind: "path", name: "sdb1" }, path: "over.img" }],
      ["8:1:over", { device: { kind: "number", rdev: "8:1" }, path: "over" }],
      ["8:1", { device: { kind: "number", rdev: "8:1" }, path: undefined }],
      ["LABEL=x:a:b", { device: label("x"), path: "a:b" }],
    ] as const)
      for (const name of ["rd.overlay", "rd.live.overlay"])
        expect(read(`${name}=${value}`).settings.overlay.disk).toEqual(disk);
    // A switch does not take back what the disk is.
    expect(read("rd.live.overlay=LABEL=x rd.overlay=1").settings.overlay.disk?.device).toEqual(label("x"));
  });

  test("sizes and switches", () => {
    expect(read("").settings.overlay).toMatchObject({ size: "50%", reset: false, readOnly: false });
    expect(read("rd.live.overlay.size=2048").settings.overlay.size).toBe("2048m");
    expect(read("rd.live.overlay.size=100%").settings.overlay.size).toBe("100%");
    for (const name of ["rd.overlay", "rd.live.overlay"])
      expect(read(`${name}.reset ${name}.readonly=yes`).settings.overlay).toMatchObject({
        reset: true,
        readOnly: true,
      });
    expect(read("rd.live.overlay.nouserconfirmprompt=1").settings.overlay.mayBeLost).toBe(true);
  });

  test("what makes no sense is told and left out", () => {
    expect(
      read(
        "rd.overlay=sdz rd.overlay=/dev/sda:/ rd.live.overlay=LABEL=x:a/../b rd.live.overlay.size=0 " +
          "rd.live.overlay.size=101% rd.live.overlay.overlayfs=0",
      ),
    ).toMatchObject({
      settings: { overlay: { wanted: undefined, disk: undefined, size: "50%" } },
      complaints: [
        "rd.overlay=sdz is ignored: sdz is neither a path below /dev nor LABEL=, UUID=, PARTUUID= or PARTLABEL=. Usage: rd.overlay=0|1|DEVICE[:PATH].",
        "rd.overlay=/dev/sda:/ is ignored: / is no path on a device. Usage: rd.overlay=0|1|DEVICE[:PATH].",
        "rd.live.overlay=LABEL=x:a/../b is ignored: a/../b is no path on a device. Usage: rd.live.overlay=DEVICE[:PATH]|none.",
        "rd.live.overlay.size=0 is ignored: it is neither a number of MiB nor a percentage of the memory. Usage: rd.live.overlay.size=MIB|PERCENT%.",
        "rd.live.overlay.size=101% is ignored: it is neither a number of MiB nor a percentage of the memory. Usage: rd.live.overlay.size=MIB|PERCENT%.",
        "rd.live.overlay.overlayfs=0 is ignored: there is no other kind of overlay here; rd.overlay=0 does without one. Usage: rd.live.overlay.overlayfs=1.",
      ],
    });
  });

  test("every one of them is known to the boot", () => {
    const line = liveParameters.map(({ name }) => `${name}=1`).join(" ");
    expect(readOptions(parseCommandLine(line)).complaints).toEqual([]);
  });
});
