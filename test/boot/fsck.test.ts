/** Checks before the first mount, by the real e2fsck on real damage: what it mends, what it does not, and when it is left out. */

import { beforeAll, expect, test } from "bun:test";
import { run } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  said,
  shellCommand,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let initrd: string;

/** debugfs's commands; a filesystem that was not cleanly unmounted is looked at whole. */
const DIRTY = "ssv state 0";
const MENDABLE = ["sif /sbin links_count 7", DIRTY];
const UNMENDABLE = ["sif / mode 0100644", DIRTY];

beforeAll(async () => {
  initrd = await rdinitImage({ name: "fsck", tools: ["fsck.ext4"], shell: true });
}, MACHINE_MS);

const UUIDS = { xfs: ROOT_UUID, f2fs: ROOT_UUID, vfat: "ABCD-1234" };

async function damagedDisk(file: string, damage: readonly string[]): Promise<string> {
  const path = await probeDisk(dir, { file });
  await run(["debugfs", "-w", "-f", "-", path], { stdin: `${damage.join("\n")}\n` });
  return path;
}

test(
  "errors that can be mended are, the person and the real init are told, and the boot goes on",
  async () => {
    const file = await damagedDisk("mendable.img", MENDABLE);
    const machine = await bootRdinit("fsck-mendable", {
      append: "root=/dev/vda quiet",
      disks: [{ file }],
      initrd,
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("ext4");
    expectSaid(machine, [
      /^e2fsck: \/dev\/vda: Inode \d+ ref count is 7, should be \d+\. +FIXED\.$/,
      "/dev/vda (ext4) had errors, which its check has corrected.",
    ]);
    expect(said(machine).filter((line) => line.includes("pass 1"))).toEqual([]);
  },
  TEST_MS,
);

test(
  "errors that are left stop the boot, with what the tool said and what to do; without a shell panic= decides",
  async () => {
    const file = await damagedDisk("unmendable.img", UNMENDABLE);
    const machine = await bootRdinit("fsck-unmendable", {
      append: "root=/dev/vda quiet rd.shell=0 panic=-1",
      disks: [{ file }],
      initrd,
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /^e2fsck: \/dev\/vda: Root inode is not a directory\.$/,
      "e2fsck: /dev/vda: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.",
      "/dev/vda (ext4) has errors that its check could not correct, and is not mounted. Repair it by hand " +
        "(e2fsck /dev/vda), boot with fsck.repair=yes to have all of it corrected, or with fsck.mode=skip to mount it as it is.",
      "Rebooting at once, as panic= asks.",
    ]);
  },
  TEST_MS,
);

test(
  "the rescue shell has the tool; when the filesystem is repaired there, the boot goes on",
  async () => {
    const file = await damagedDisk("by-hand.img", MENDABLE);
    const machine = await bootRdinit("fsck-by-hand", {
      append: "root=/dev/vda quiet fsck.repair=no",
      disks: [{ file }],
      initrd,
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    await shellCommand(machine, "e2fsck -fy /dev/vda; echo status $?");
    machine.console.send("exit\n");
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("ext4");
  },
  TEST_MS,
);

test(
  "fsck.mode=skip looks at nothing, fsck.mode=force at what is clean",
  async () => {
    const damaged = await damagedDisk("skipped.img", MENDABLE);
    const skipping = await bootRdinit("fsck-skip", {
      append: "root=/dev/vda debug fsck.mode=skip",
      disks: [{ file: damaged }],
      initrd,
    });
    await probed(skipping);
    expectSaid(skipping, ["/dev/vda (ext4) is not checked: fsck.mode=skip says so"]);

    const clean = await probeDisk(dir, { file: "clean.img" });
    const forced = await bootRdinit("fsck-force", {
      append: "root=/dev/vda debug fsck.mode=force",
      disks: [{ file: clean }],
      initrd,
    });
    const listing = await probed(forced);
    expectSaid(forced, ["running e2fsck -p -f -C 1 /dev/vda", "/dev/vda (ext4) is sound"]);
    expect(listing.get("processes.others")).toBe("0");
    // A disk that can't be written to, and an image without the tool.
    const readOnly = await bootRdinit("fsck-read-only", {
      append: "root=/dev/vda debug fsck.mode=force",
      disks: [{ file: clean, readonly: true }],
      initrd,
    });
    await probed(readOnly);
    expectSaid(readOnly, ["/dev/vda (ext4) is not checked: it can't be written to"]);
  },
  TEST_MS * 2,
);

/** The other tools, on sound filesystems under the distribution's kernel, and how each is called. */
const OTHERS = [
  { type: "xfs", size_mb: 300, tool: "fsck.xfs", call: "xfs_repair -e /dev/vda" },
  { type: "f2fs", size_mb: 64, tool: "fsck.f2fs", call: "fsck.f2fs -a -f /dev/vda" },
  { type: "vfat", size_mb: 64, tool: "fsck.vfat", call: "fsck.fat -a /dev/vda" },
] as const;

for (const { type, size_mb, tool, call } of OTHERS)
  test(
    `fsck.mode=force on ${type}`,
    async () => {
      const kernel = await stockKernel();
      const file = await probeDisk(dir, { file: `${type}.img`, type, size_mb, uuid: UUIDS[type] });
      const drivers = ["virtio_pci", "virtio_blk", type, "nls_cp437", "nls_ascii"];
      const machine = await bootRdinit(`fsck-${type}`, {
        kernel: kernel.vmlinuz,
        append: "root=/dev/vda debug fsck.mode=force rd.driver.pre=nls_cp437,nls_ascii",
        disks: [{ file }],
        initrd: await rdinitImage({ name: `fsck-${type}`, kernel, drivers, tools: [tool] }),
      });
      const listing = await probed(machine);
      expect(listing.get("mount./.type")).toBe(type);
      expectSaid(machine, [`running ${call}`, `/dev/vda (${type}) is sound`]);
    },
    TEST_MS,
  );
