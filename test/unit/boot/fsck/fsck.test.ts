import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChildEnd, ChildRequest, ChildResult } from "../../../../src/boot/children/children.ts";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { type CheckRequest, checkFilesystem } from "../../../../src/boot/fsck/fsck.ts";
import { CheckScreen, parseProgress } from "../../../../src/boot/fsck/progress.ts";
import { type FsckSettings, readFsckSettings } from "../../../../src/boot/fsck/settings.ts";
import { FSCK, describeTrouble, planCheck } from "../../../../src/boot/fsck/tools.ts";
import { Rebooted, fakeKernel, program } from "../../../../syscalls/fake.ts";
import { bootOn, diskWith } from "../../../fixtures/disks-in-memory.ts";
import { inVirtualTime } from "../../../fixtures/virtual-time.ts";

const usual: FsckSettings = { mode: "auto", repair: "preen" };

const read = (line: string) => readFsckSettings(parseCommandLine(line));

const argv = (type: string, settings: Partial<FsckSettings> = {}) =>
  planCheck(type, "/dev/x", { ...usual, ...settings })?.argv.join(" ");

const meaning = (type: string, settings: Partial<FsckSettings> = {}) =>
  planCheck(type, "/dev/x", { ...usual, ...settings })?.meaning ?? (() => -1);

describe("the settings", () => {
  for (const [line, settings] of [
    ["", usual],
    ["fsck.mode=force fsck.repair=no", { mode: "force", repair: "no" }],
    ["fsck.mode=force fsck.mode=skip", { mode: "skip", repair: "preen" }],
    ["fastboot", { mode: "skip", repair: "preen" }],
    ["forcefsck fsck.repair=yes", { mode: "force", repair: "yes" }],
  ] as const)
    test(JSON.stringify(line), () => expect(read(line)).toEqual({ settings, complaints: [] }));

  test("what makes no sense is told, and changes nothing", () => {
    const { settings, complaints } = read("fsck.mode=maybe fsck.repair forcefsck=1");
    expect(settings).toEqual(usual);
    expect(complaints).toEqual([
      "fsck.mode=maybe is ignored: it makes no sense here. Usage: fsck.mode=auto|force|skip.",
      "fsck.repair= is ignored: it makes no sense here. Usage: fsck.repair=preen|yes|no.",
      "forcefsck=1 is ignored: it makes no sense here. Usage: forcefsck.",
    ]);
  });
});

describe("the tool of a filesystem", () => {
  test("is called as it wants to be", () => {
    expect(argv("ext4")).toBe("e2fsck -p -C 1 /dev/x");
    expect(argv("ext2", { mode: "force", repair: "yes" })).toBe("e2fsck -y -f -C 1 /dev/x");
    expect(argv("vfat", { repair: "no" })).toBe("fsck.fat -n /dev/x");
    expect(argv("f2fs", { mode: "force" })).toBe("fsck.f2fs -a -f /dev/x");
    expect(argv("jfs")).toBe("fsck.jfs -a /dev/x");
    expect(argv("xfs", { mode: "force" })).toBe("xfs_repair -e /dev/x");
    expect(argv("xfs", { mode: "force", repair: "no" })).toBe("xfs_repair -n /dev/x");
  });

  test("is left out where nothing is to be done", () => {
    for (const type of ["xfs", "btrfs", "squashfs", "../../bin/sh", ""]) expect(argv(type)).toBeUndefined();
    expect(argv("ext4", { mode: "skip" })).toBeUndefined();
  });

  test("has an exit status of its own", () => {
    expect([0, 1, 4, 12, 255].map(meaning("ext4"))).toEqual([0, 1, 4, 12, FSCK.operational]);
    expect([0, 1, 2].map(meaning("vfat"))).toEqual([0, FSCK.corrected, FSCK.usage]);
    expect(meaning("vfat", { repair: "no" })(1)).toBe(FSCK.uncorrected);
    expect([0, 1, 2, 4, 9].map(meaning("xfs", { mode: "force" }))).toEqual([
      0,
      FSCK.uncorrected,
      FSCK.operational,
      FSCK.corrected,
      FSCK.operational,
    ]);
  });

  test("trouble has words", () => {
    expect(describeTrouble(8 | 16)).toBe("an operational error, wrong usage");
    expect(describeTrouble(32 | 128)).toBe("it was canceled, an error of a library");
    expect(describeTrouble(64)).toBe("status 64");
  });
});

describe("progress", () => {
  test("of e2fsck's passes", () => {
    expect(parseProgress("1 0 128 /dev/vda")).toEqual({ pass: 1, percent: 0 });
    expect(parseProgress("3 64 128 /dev/mapper/vg-root")).toEqual({ pass: 3, percent: 50 });
    expect(parseProgress("5 129 128 /dev/vda")).toEqual({ pass: 5, percent: 100 });
  });
  test("any other line is none", () => {
    for (const line of ["", "1 0 0 /dev/vda", "Pass 1: Checking inodes", "10 1 2 /dev/vda", "1 1 2 etc"])
      expect(parseProgress(line)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (line) => {
        const percent = parseProgress(line)?.percent ?? 0;
        return percent >= 0 && percent <= 100;
      }),
    );
  });
});

async function checking({
  line = "debug",
  end = { kind: "exited", status: 0 } as ChildEnd,
  said = [] as readonly string[],
  tool = true,
  readOnly = "0",
  request = {} as Partial<CheckRequest>,
}) {
  const kernel = fakeKernel({
    rootfs: { run: {}, sys: {}, usr: { sbin: tool ? { e2fsck: program() } : {} } },
    mounts: [{ at: "/sys", type: "sysfs" }],
    sysfs: { class: { block: { vda: { ro: `${readOnly}\n` } } } },
  });
  const { boot, lines } = bootOn(kernel.sys, line);
  const requests: ChildRequest[] = [];
  const run = async (_: Boot, child: ChildRequest): Promise<ChildResult> => {
    requests.push(child);
    for (const one of said) child.hear?.(one);
    return { end, output: "" };
  };
  const device = diskWith("vda", "254:0", { type: "ext4", usage: "filesystem" });
  const wanted = { device, type: "ext4", pass: undefined, part: "root", ...request } as const;
  const result = await checkFilesystem(boot, wanted, run).catch((error: unknown) => error);
  const marks = kernel.files().filter((path) => path.includes("fsck-"));
  return { result, lines, requests, marks, last: kernel.calls.slice(-2).map(({ name }) => name) };
}

describe("a check", () => {
  test("of a sound filesystem says nothing, and leaves word for the real init", async () => {
    const { result, lines, requests, marks } = await checking({});
    expect(result).toBe(false);
    expect(lines).toEqual(["debug: /dev/vda (ext4) is sound"]);
    expect(requests).toMatchObject([
      { argv: ["e2fsck", "-p", "-C", "1", "/dev/vda"], deadline_ms: undefined },
    ]);
    expect(marks).toEqual(["/run/initramfs/fsck-root"]);
  });

  test("that mended something shows what, without its progress", async () => {
    const said = ["1 1 2 /dev/vda", "/dev/vda: FIXED. ", "\\t(so)"];
    const { result, lines, marks } = await checking({ end: { kind: "exited", status: 1 }, said });
    expect(result).toBe(true);
    expect(lines.filter((each) => !each.startsWith("debug"))).toEqual([
      "warning: e2fsck: /dev/vda: FIXED.",
      "warning: e2fsck: (so)",
      "notice: /dev/vda (ext4) had errors, which its check has corrected.",
    ]);
    expect(marks).toHaveLength(1);
  });

  for (const status of [4, 5, 6, 12])
    test(`that left errors stops the boot (${status})`, async () => {
      const { result, marks } = await checking({ end: { kind: "exited", status } });
      expect(String(result)).toStartWith(
        "UserError: /dev/vda (ext4) has errors that its check could not correct",
      );
      expect(marks).toEqual([]);
    });

  test("that asks for it reboots the machine, when all is written", async () => {
    const { result, lines, last } = await checking({ end: { kind: "exited", status: 3 } });
    expect(result).toBeInstanceOf(Rebooted);
    expect(last).toEqual(["sync", "reboot"]);
    expect(lines).toEqual(["error: The check of /dev/vda (ext4) asks for a reboot. Rebooting."]);
  });

  for (const [end, words] of [
    [
      { kind: "exited", status: 8 },
      "/dev/vda (ext4) could not be checked (an operational error); the boot goes on without that.",
    ],
    [
      { kind: "exited", status: 128 },
      "/dev/vda (ext4) could not be checked (an error of a library); the boot goes on without that.",
    ],
    [
      { kind: "killed", signal: "SIGSEGV" },
      "the check of /dev/vda (ext4) was killed by SIGSEGV; the boot goes on without it.",
    ],
    [
      { kind: "failed", why: "may not be executed" },
      "the check of /dev/vda (ext4) may not be executed; the boot goes on without it.",
    ],
  ] as const)
    test(`that could not be made is told, and left to the real init: ${JSON.stringify(end)}`, async () => {
      const { result, lines, marks } = await checking({ end });
      expect(result).toBe(false);
      expect(lines).toEqual([`warning: ${words}`]);
      expect(marks).toEqual([]);
    });

  for (const [name, setting, words] of [
    ["of a disk that can't be written to", { readOnly: "1" }, "it can't be written to"],
    ["without the tool", { tool: false }, "e2fsck is not in the image"],
    ["that fstab does not want", { request: { pass: 0 } }, "its line in fstab says so"],
    ["that is forbidden", { line: "fsck.mode=skip" }, "fsck.mode=skip says so"],
    ["of what needs none", { request: { type: "btrfs" } }, "this filesystem needs no check"],
  ] as const)
    test(`${name} is not made`, async () => {
      const { result, lines, requests } = await checking(setting);
      expect(result).toBe(false);
      expect(requests).toEqual([]);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toEndWith(`is not checked: ${words}`);
    });

  test("that is forced is made whatever fstab says", async () => {
    const { requests } = await checking({ line: "forcefsck", request: { pass: 0 } });
    expect(requests).toHaveLength(1);
  });
});

test("a long check tells how far it is, after a second and then each five", async () => {
  const { sys } = fakeKernel({});
  const { boot, lines } = bootOn(sys, "");
  await inVirtualTime(async (advance) => {
    const screen = new CheckScreen(boot, "/dev/vda (ext4)");
    for (let second = 0; second < 8; second++) {
      screen.hear(`1 ${second} 10 /dev/vda`);
      await advance(1000);
    }
    expect(screen.last()).toEqual([]);
  });
  expect(lines).toEqual([
    "notice: checking /dev/vda (ext4): pass 1 of 5, 10 %",
    "notice: checking /dev/vda (ext4): pass 1 of 5, 60 %",
  ]);
});

test("of a check that prints much, the end is kept", () => {
  const { boot } = bootOn(fakeKernel({}).sys, "");
  const screen = new CheckScreen(boot, "");
  for (let line = 0; line < 1000; line++) screen.hear(`line ${line}`);
  expect(screen.last()).toHaveLength(40);
  expect(screen.last().at(-1)).toBe("line 999");
});
