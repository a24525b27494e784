/** A system on LUKS, LVM and RAID1 ends: its init goes back to rdinit, which takes all of that apart. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../../qemu/host.ts";
import { rdinitImage, staticBusybox } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { MACHINE_MS as GUEST_MS, TEST_MS, bootRdinit, expectSaid, said } from "../../qemu/scenario.ts";
import { STORAGE, raid1LvmLuks } from "../../qemu/storage/basic.ts";
import { ROOT_FOLDERS, type Tree } from "../../qemu/tree.ts";
import { userlandDisks } from "../../qemu/userlands/disks.ts";
import { USERLAND } from "../../qemu/userlands/etc.ts";
import {
  MACHINE_MS,
  USERLAND_TEST_MS,
  command,
  logIn,
  powerOff,
  userlandImage,
} from "../../qemu/userlands/session.ts";
import { userlandTree, userlandsNeed } from "../../qemu/userlands/trees.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();

/** In the order in which they must go. */
const LAYERS = [
  `unmounted / (/dev/mapper/${USERLAND.mapping})`,
  `closed the encrypted volume ${USERLAND.mapping}`,
  `closed the logical volume ${USERLAND.volumes.root}`,
  "stopped the array md0",
  "all storage is taken apart",
  "powering off",
];

test.skipIf(need !== undefined)(
  `Debian with systemd${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const kernel = await stockKernel();
    const tree = await userlandTree("systemd");
    // Copies that are written to: what the array's members say in the end is looked at.
    const disks = (await makeDisksInGuest(userlandDisks("systemd", tree))).map((file, index) => ({
      from: file,
      file: join(dir, `${index}.img`),
    }));
    for (const { from, file } of disks) await run(["cp", "--sparse=always", from, file]);
    await using machine = await startMachine({
      name: "exitrd",
      kernel: kernel.vmlinuz,
      initrd: await userlandImage("systemd", tree, kernel.version),
      append: `root=/dev/mapper/${USERLAND.mapping} ro rd.exitrd`,
      disks: disks.map(({ file }) => ({ file, snapshot: false })),
      memory_mb: 768,
      timeout_ms: MACHINE_MS,
    });
    await logIn(machine, "systemd");
    expectSaid(machine, [/^\/run\/initramfs\/shutdown is kept for the end of the system, \d+ MB of memory$/]);
    expect(await command(machine, "stat -c '%a %F' /run/initramfs/shutdown")).toBe("755 regular file");

    const { text } = await powerOff(machine, "systemctl poweroff");
    expect(text).toContain("Returning to initrd...");
    const last = said(machine).filter((sentence) => LAYERS.includes(sentence));
    expect(last).toEqual(LAYERS);
    expect(text).not.toMatch(/rdinit: .*(stays|can't|does not|own error)/);
    for (const { file } of disks)
      expect(await run(["mdadm", "--examine", file])).toMatch(/^ *State : clean$/m);
  },
  USERLAND_TEST_MS,
);

/** It ends as systemd-shutdown does, but leaves more behind: swap and a loop device on files, and processes. */
const INIT = `#!/bin/busybox sh
b=/bin/busybox
$b mount -o remount,rw /
for file in swap image; do $b dd if=/dev/zero of=/$file bs=64k count=16; done 2>/dev/null
$b mkswap /swap >/dev/null
$b swapon /swap
$b losetup /dev/loop0 /image
$b sleep 1000 &
(exec -a @/sleep $b 1000) &
new=/run/initramfs
$b mount --bind $new $new
cd $new
$b mkdir -p oldroot proc sys dev run
for name in proc sys dev run; do $b mount --bind /$name $name; done
$b pivot_root . oldroot
exec oldroot/bin/busybox chroot . /shutdown reboot <dev/console >dev/console 2>&1
`;

test(
  "a root in use: what uses it goes first",
  async () => {
    const tree: Tree = [
      ...ROOT_FOLDERS,
      { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
      { path: "/sbin/init", kind: "text", text: INIT, mode: 0o755 },
    ];
    const disks = await makeDisksInGuest({ ...raid1LvmLuks(tree), name: "exitrd" });
    await using machine = await bootRdinit("exitrd-busy", {
      append: `root=UUID=${STORAGE.filesystem} rd.exitrd`,
      disks: disks.map((file) => ({ file })),
      initrd: await rdinitImage({ name: "exitrd-busy", tools: ["mdadm", "lvm", "cryptsetup"] }),
    });
    await machine.console.expect(/Passphrase for .*: /, GUEST_MS);
    machine.console.send(`${STORAGE.passphrase}\n`);
    await machine.expectEnd("rebooted");
    const spoken = said(machine);
    expect(spoken.slice(spoken.findIndex((sentence) => sentence.startsWith("back from")))).toEqual([
      "back from the system that has ended: taking its storage apart",
      "turned off the swap /swap",
      "detached the loop device loop0 (/image)",
      `unmounted / (/dev/mapper/luks-${STORAGE.luks})`,
      `closed the encrypted volume luks-${STORAGE.luks}`,
      `closed the logical volume ${STORAGE.group}-${STORAGE.volume.replace("-", "--")}`,
      "stopped the array md127",
      "all storage is taken apart",
      "rebooting",
    ]);
  },
  MACHINE_MS + TEST_MS,
);
