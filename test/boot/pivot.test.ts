/** rdinit as the init of a small boot filesystem, without any initramfs: it leaves by pivot_root(2) and keeps that. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { PROJECT } from "../../qemu/host.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, SHELL_PROMPT, TEST_MS, probeDisk, probed, shellCommand } from "../../qemu/scenario.ts";
import { ROOT_FOLDERS } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const boot = join(dir, "boot.img");
let disk: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  const busybox = { kind: "file", from: await staticBusybox(), mode: 0o755 } as const;
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
    // root= was the kernel's word for the boot filesystem, as init= would have been: the real root is mounted by hand.
    await machine.console.expect("rdinit: The new root /sysroot is not a mounted filesystem.", MACHINE_MS);
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
      "self.root": "/",
      "self.cwd": "/",
      userns: "ok",
      "processes.others": "0",
    });
  },
  TEST_MS,
);
