/** How the root is mounted: rootflags=, ro and rw, rootfstype=, and options that make no sense. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import type { Machine } from "../../qemu/machine.ts";
import {
  MACHINE_MS,
  TEST_MS,
  bootRdinit,
  expectSaid,
  kernelTime,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let initrd: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  initrd = await rdinitImage({ name: "rootoptions" });
}, MACHINE_MS);

function boot(name: string, append: string, readonly = false): Promise<Machine> {
  return bootRdinit(name, { append: `root=/dev/vda ${append}`, disks: [{ file: disk, readonly }], initrd });
}

test(
  "read-write with flags of the mount and options of the filesystem",
  async () => {
    const machine = await boot("rootoptions-rw", "ro rw rootflags=noatime,nosuid,data=journal,defaults");
    const listing = await probed(machine);
    expect(listing.get("mount./.options")).toBe("rw,nosuid,noatime");
    expect(listing.get("mount./.super")?.split(",")).toContain("data=journal");
    expect(listing.get("mount./.type")).toBe("ext4");
    expectSaid(machine, ["mounted /dev/vda (ext4) as the root, read-write"]);
  },
  TEST_MS,
);

test(
  "read-only when nothing is said, as the first of the types that fits",
  async () => {
    const machine = await boot("rootoptions-ro", "rootfstype=vfat,nosuchfs,ext4,ext2 rootdelay=1");
    const listing = await probed(machine);
    expect(listing.get("mount./.options")).toBe("ro,relatime");
    expectSaid(machine, [
      "waiting 1 s, as rootdelay= asks.",
      "mounted /dev/vda (ext4) as the root, read-only",
    ]);
    const [delayed, mounted] = ["rootdelay= asks", "as the root, read-only"].map((words) =>
      kernelTime(machine.console.text, words),
    );
    expect((mounted ?? 0) - (delayed ?? 0)).toBeGreaterThanOrEqual(1);
  },
  TEST_MS,
);

test(
  "a write-protected disk is mounted read-only although rw is said",
  async () => {
    const machine = await boot("rootoptions-protected", "rw", true);
    expect((await probed(machine)).get("mount./.options")).toBe("ro,relatime");
    expectSaid(machine, ["/dev/vda can't be written to; mounting it read-only."]);
  },
  TEST_MS,
);

test(
  "options without sense are named and skipped, and the boot goes on",
  async () => {
    const bad = "rootdelay=soon rd.timeout= rootwait=never rd.shell=maybe rd.nonsense=1 rootfstype= init";
    const machine = await boot("rootoptions-bad", `quiet ${bad}`);
    expect((await probed(machine)).get("mount./.source")).toBe("/dev/vda");
    expectSaid(machine, [
      ignored("rootdelay=soon", "it is not a number of seconds. Usage: rootdelay=SECONDS."),
      ignored("rd.timeout=", "it needs a value. Usage: rd.timeout=SECONDS."),
      ignored("rootwait=never", "it is not a number of seconds. Usage: rootwait[=SECONDS]."),
      ignored("rd.shell=maybe", "it is neither 0 nor 1. Usage: rd.shell=0|1."),
      ignored("rd.nonsense=1", "this rdinit does not know it."),
      ignored("rootfstype=", "it needs a value. Usage: rootfstype=TYPE[,TYPE]."),
      ignored("init", "it needs a value. Usage: init=PATH."),
    ]);
  },
  TEST_MS,
);

test(
  "an option that the filesystem does not know is the filesystem's to refuse",
  async () => {
    const machine = await boot("rootoptions-unknown", "rootflags=nonsense panic=-1");
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "The root /dev/vda can't be mounted as ext4: the kernel refuses its superblock or the mount options (EINVAL). " +
        "The kernel's own messages above may say more.",
    ]);
  },
  TEST_MS,
);

function ignored(word: string, why: string): string {
  return `${word} on the command line is ignored: ${why}`;
}
