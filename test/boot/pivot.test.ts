/**
 * rdinit leaves by pivot_root(2): the small boot filesystem that it was started from, without any initramfs, and keeps
 * that; and a rootfs that can be left so, as Linux 7 has it.
 */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { PROJECT } from "../../qemu/host.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import {
  MACHINE_MS,
  SHELL_PROMPT,
  TEST_MS,
  expectSaid,
  probeDisk,
  probed,
  said,
  shellCommand,
} from "../../qemu/scenario.ts";
import { ROOT_FOLDERS, packInitramfs } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const boot = join(dir, "boot.img");
let disk: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  const busybox = { kind: "file", from: staticBusybox(), mode: 0o755 } as const;
  await makeDisk({
    file: boot,
    type: "ext4",
    size_mb: 192,
    tree: [
      ...ROOT_FOLDERS,
      { path: "/sbin/init", kind: "file", from: join(PROJECT, "build/rdinit"), mode: 0o755 },
      { path: "/sysroot", kind: "dir" },
      ...["sh", "mount", "umount"].map((name) => ({ ...busybox, path: `/bin/${name}` })),
    ],
    partition: { table: "dos", disk_id: "deadbeef" },
  });
}, MACHINE_MS);

test(
  "the boot filesystem stays mounted below the new root",
  async () => {
    const machine = await startMachine({
      name: "pivot",
      kernel: (await builtinKernel()).vmlinuz,
      append: "root=/dev/vda1",
      disks: [{ file: boot }, { file: disk }],
      timeout_ms: MACHINE_MS,
    });
    // root= was the kernel's word for the boot filesystem: the real root is mounted by hand.
    await machine.console.expect(
      "rdinit: The real root is not named: root= on the kernel command line is the filesystem",
      MACHINE_MS,
    );
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    await shellCommand(machine, "umount /sysroot; mount -t ext4 -o ro /dev/vdb /sysroot");
    machine.console.send("exit\n");
    const listing = await probed(machine);
    expect(Object.fromEntries(listing)).toMatchObject({
      "mount./.source": "/dev/vdb",
      "mount./.parent": "outside",
      "mount./boot.source": "/dev/root",
      "mount./boot.parent": "/",
      "mount./boot.type": "ext4",
      "mount./boot.options": "rw,relatime",
      "self.root": "/",
      "self.cwd": "/",
      userns: "ok",
      "processes.others": "0",
    });
  },
  TEST_MS,
);

/**
 * Stands in for Linux 7, whose initramfs lies on an immutable rootfs and can be left by pivot_root(2): a script of the
 * initramfs mounts another tmpfs, moves rdinit there and goes over to it. To rdinit it looks the same.
 */
const STAND_IN = `#!/bin/busybox sh
/bin/busybox mkdir /upper
/bin/busybox mount -t tmpfs -o size=75% tmpfs /upper
/bin/busybox mv /rdinit /upper/init
exec /bin/busybox switch_root /upper /init
`;

test(
  "a tmpfs on the rootfs is left by pivot_root, and emptied, as Linux 7 keeps what it holds",
  async () => {
    const initrd = join(dir, "stand-in.cpio");
    await packInitramfs(
      [
        { path: "/init", kind: "text", text: STAND_IN, mode: 0o755 },
        { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
        { path: "/rdinit", kind: "file", from: join(PROJECT, "build/rdinit"), mode: 0o755 },
      ],
      initrd,
    );
    const kernel = (await builtinKernel()).vmlinuz;
    const common = { kernel, timeout_ms: MACHINE_MS };
    const machine = await startMachine({
      ...common,
      name: "pivot-stand-in",
      initrd,
      append: "root=/dev/vda rd.debug ignore_loglevel",
      disks: [{ file: disk }],
    });
    const listing = await probed(machine);
    expect(Object.fromEntries(listing)).toMatchObject({
      "mount./.source": "/dev/vda",
      "mount./.parent": "outside",
      "mounts.count": "5",
      "self.root": "/",
      "self.cwd": "/",
      userns: "ok",
      "processes.others": "0",
    });
    expectSaid(machine, [
      /pivotRoot\("\.", "\."\)/,
      /open\("\.\."/,
      /unlinkat\([^)]*"init"/,
      /umount\("\.", 2\)/,
    ]);
    expect(said(machine).filter((line) => /MS_MOVE|chroot\(/.test(line))).toEqual([]);
    // All of it is free again: as much as when the kernel starts the same init from the same disk.
    const direct = await startMachine({
      ...common,
      name: "pivot-direct",
      append: "root=/dev/vda",
      disks: [{ file: disk }],
    });
    const before = Number((await probed(direct)).get("memory.free"));
    expect(before - Number(listing.get("memory.free"))).toBeLessThan(8 * 1024);
  },
  2 * TEST_MS,
);
