import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { readLiveSettings } from "../../../../src/boot/live/settings.ts";
import { readFstabSettings } from "../../../../src/boot/mount/fstab-plan.ts";
import { readNetRootSettings } from "../../../../src/boot/netroot/settings.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { chooseRoot } from "../../../../src/boot/root.ts";
import { readOldRootSettings, startedFrom } from "../../../../src/boot/handover/oldroot.ts";
import { readParameters } from "../../../../src/boot/cmdline/packed.ts";
import { symlink } from "../../../../syscalls/fake.ts";
import { MS_NOATIME, MS_RDONLY } from "../../../../syscalls/index.ts";
import { earlyMachine, mountPaths, realRoot, runHandOver } from "../../../fixtures/early-machine.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";

const real = { rootMovable: true, rootfsType: "ext4" };

describe("where the old root goes", () => {
  test.each([
    ["", { place: "/boot", asked: false, flags: 0, data: "" }],
    ["rd.oldroot=/mnt/boot", { place: "/mnt/boot", asked: true, flags: 0, data: "" }],
    ["rd.oldroot=/x rd.oldroot=none", { place: undefined, asked: false, flags: 0, data: "" }],
    [
      "rd.oldroot.flags=ro,noatime,barrier=0",
      { place: "/boot", asked: false, flags: MS_RDONLY | MS_NOATIME, data: "barrier=0" },
    ],
  ])("%p", (line, settings) => {
    expect(readOldRootSettings(parseCommandLine(line))).toEqual({ settings, complaints: [] });
  });

  test.each(["rd.oldroot", "rd.oldroot=boot", "rd.oldroot=/", "rd.oldroot=/a/../../b", "rd.oldroot.flags="])(
    "%s makes no sense, and is told",
    (line) => {
      const { settings, complaints } = readOldRootSettings(parseCommandLine(line));
      expect(settings).toEqual({ place: "/boot", asked: false, flags: 0, data: "" });
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toContain("is ignored: it makes no sense here. Usage: rd.oldroot");
    },
  );

  test("a directory of the new root that is asked for, by links within that", async () => {
    const newRoot = { ...realRoot, mnt: { early: {} }, old: symlink("/mnt/early") };
    const kernel = earlyMachine({ ...real, newRoot });
    expect(await runHandOver(kernel, undefined, { line: "rd.oldroot=/old" })).toMatchObject({
      kind: "completed",
      warnings: [],
    });
    expect(mountPaths(kernel)).toEqual(["/", "/dev", "/mnt/early", "/proc", "/run", "/sys"]);
  });

  test("when it is not there, a warning and no mount; without rd.oldroot= no word", async () => {
    const { boot: _, ...newRoot } = realRoot;
    for (const [line, warnings] of [
      ["", []],
      [
        "rd.oldroot=/early",
        ["the new root has no directory /early, which rd.oldroot= names: the boot filesystem is unmounted."],
      ],
      ["rd.oldroot=none", []],
    ] as const) {
      const kernel = earlyMachine({ ...real, newRoot });
      expect(await runHandOver(kernel, undefined, { line })).toMatchObject({ kind: "completed", warnings });
      expect(mountPaths(kernel)).toEqual(["/", "/dev", "/proc", "/run", "/sys"]);
    }
  });

  test("when it is the new root itself, as a link says, the old one is unmounted and does not cover it", async () => {
    for (const boot of [symlink("/"), symlink(".")]) {
      const kernel = earlyMachine({ ...real, newRoot: { ...realRoot, boot } });
      expect(await runHandOver(kernel, undefined, {})).toMatchObject({ kind: "completed", warnings: [] });
      expect(mountPaths(kernel)).toEqual(["/", "/dev", "/proc", "/run", "/sys"]);
    }
  });

  test("it becomes writable there, or what rd.oldroot.flags= says", async () => {
    for (const [line, flags] of [
      ["", 0],
      ["rd.oldroot.flags=ro,noatime", MS_RDONLY | MS_NOATIME],
    ] as const) {
      const kernel = earlyMachine(real);
      const old = kernel.machine.mounts.all.find(({ fs }) => fs.type === "ext4");
      if (old !== undefined) old.flags = MS_RDONLY;
      expect((await runHandOver(kernel, undefined, { line })).kind).toBe("completed");
      expect(old?.flags).toBe(flags);
    }
  });

  test("when that can't be, it is told and the new init starts", async () => {
    const kernel = earlyMachine(real);
    const outcome = await runHandOver(kernel, (call, proceed) => {
      if (call.name === "mount" && call.args[1] === "/boot") throw refusalOf("mount", call.args, "EROFS");
      return proceed();
    });
    expect(outcome.kind).toBe("completed");
    expect(outcome.warnings).toEqual([
      expect.stringMatching(
        /^the boot filesystem on \/boot stays as the kernel mounted it, and is not made read-write: .*EROFS/,
      ),
    ]);
  });
});

describe("the kernel's own words for the boot partition", () => {
  const line = "root=/dev/vda1 rootfstype=ext4 rootflags=noatime rw rootwait rootdelay=9 init=/init quiet";

  test("count for rdinit in an initramfs", () => {
    expect(readParameters(line, undefined, "rootfs").options).toMatchObject({
      root: "/dev/vda1",
      rootTypes: ["ext4"],
      rootFlags: "noatime",
      readOnly: false,
      deviceTimeout_ms: undefined,
      rootDelay_ms: 9000,
      init: "/init",
      quiet: true,
    });
  });

  test("do not when that is what the kernel started: those of the partition do", () => {
    const { options, complaints } = readParameters(line, "root=LABEL=real init=/sbin/other", "filesystem");
    expect(options).toMatchObject({
      root: "LABEL=real",
      rootTypes: [],
      rootFlags: "",
      readOnly: true,
      deviceTimeout_ms: 30_000,
      rootDelay_ms: 0,
      init: "/sbin/other",
      quiet: true,
    });
    expect(complaints).toEqual([]);
  });

  test("are none for its other parts either", () => {
    const { words } = readParameters(line, "root=LABEL=real rd.fstab mount.usrflags=ro", "filesystem");
    expect(readFstabSettings(words).settings.usr).toMatchObject({ device: "LABEL=real", options: "ro" });
    const nfs = readParameters("root=/dev/nfs nfsroot=10.0.0.1:/boot ro", "root=LABEL=real", "filesystem");
    expect(readNetRootSettings(nfs.words).settings.root).toBeUndefined();
    const live = readParameters("root=live:/dev/sda ro", "root=LABEL=real", "filesystem");
    expect(readLiveSettings(live.words).settings.live).toBe(false);
  });

  test("with rd. in front they are for rdinit alone, and win wherever they stand", () => {
    const ours =
      "rd.root=UUID=1 rd.rootfstype=xfs rd.rootflags=ro,nodev rd.ro rd.init=/x root=/dev/a rootfstype=ext4 rw init=/y";
    for (const start of ["rootfs", "filesystem"] as const)
      expect(readParameters(ours, "root=LABEL=packed", start).options).toMatchObject({
        root: "UUID=1",
        rootTypes: ["xfs"],
        rootFlags: "ro,nodev",
        readOnly: true,
        init: "/x",
      });
  });

  test("rd.root= may name a live image, too", () => {
    const words = parseCommandLine("rd.root=live:LABEL=x");
    expect(readLiveSettings(words).settings.live).toBe(true);
    expect(chooseRoot(readOptions(words).options.root, false)).toMatchObject({ tag: "LABEL", value: "x" });
  });

  test("a real root that nobody named is asked for in other words than an initramfs's", () => {
    expect(() => chooseRoot(undefined, false, "filesystem")).toThrow("The real root is not named");
    expect(() => chooseRoot(undefined, false)).toThrow("names no root filesystem");
  });
});

test("an initramfs is told from a real filesystem", () => {
  expect(startedFrom(earlyMachine().sys)).toBe("rootfs");
  expect(startedFrom(earlyMachine(real).sys)).toBe("filesystem");
});
