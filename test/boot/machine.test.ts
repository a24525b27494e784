/**
 * The harness itself: a shell in a guest, spoken to over the console; disks plugged in; every end told apart.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiskInterface } from "../../qemu/devices.ts";
import { makeDisk } from "../../qemu/disks.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import type { Kernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import type { Machine, MachineOptions } from "../../qemu/machine.ts";
import { packInitramfs } from "../../qemu/tree.ts";

const TIMEOUT_MS = 40_000;
const dir = mkdtempSync(join(tmpdir(), "rdinit-machine-"));
const initrd = join(dir, "shell.cpio");
const disk = join(dir, "disk.img");
let kernel: Kernel;

const INIT = [
  "#!/bin/busybox sh",
  "/bin/busybox mkdir -p /proc /sys /mnt",
  "/bin/busybox --install -s /bin",
  "export PATH=/bin PS1='guest# '",
  "mount -t devtmpfs dev /dev",
  "mount -t sysfs sys /sys",
  "exec setsid cttyhack sh",
];

beforeAll(async () => {
  kernel = await builtinKernel();
  await packInitramfs(
    [
      { path: "/init", kind: "text", text: `${INIT.join("\n")}\n`, mode: 0o755 },
      { path: "/bin/busybox", kind: "file", from: "/bin/busybox", mode: 0o755 },
    ],
    initrd,
  );
  await makeDisk({ file: disk, type: "ext4", tree: [], label: "plugged", size_mb: 8 });
}, 10 * TIMEOUT_MS);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A machine at its shell's first prompt. */
async function shell(name: string, options: Partial<MachineOptions> = {}): Promise<Machine> {
  const machine = await startMachine({
    name: `machine-${name}`,
    kernel: kernel.vmlinuz,
    initrd,
    append: "quiet panic=-1",
    timeout_ms: TIMEOUT_MS,
    ...options,
  });
  await machine.console.expect("guest# ", TIMEOUT_MS);
  return machine;
}

test(
  "what is typed arrives, and what comes back is found in its order",
  async () => {
    await using machine = await shell("console");
    machine.console.send("echo one; echo two; printf '\\033[1mbold\\033[0m\\n'\n");
    expect((await machine.console.expect(/^(one)\n/m, TIMEOUT_MS))[1]).toBe("one");
    await machine.console.expect("two\nbold\nguest# ", TIMEOUT_MS);
    expect(machine.console.text).not.toContain("\x1b");
    expect(await machine.qmp.queryStatus()).toBe("running");
    machine.console.send("poweroff -f\n");
    await machine.expectEnd("powered off");
    expect(await machine.ended).toMatchObject({ how: "powered off" });
  },
  2 * TIMEOUT_MS,
);

test(
  "what does not come is told with the end of the log and its place",
  async () => {
    await using machine = await shell("missing");
    machine.console.send("echo nearly\n");
    await machine.console.expect("nearly\nguest# ", TIMEOUT_MS);
    const late = await machine.console.expect("never", 50).catch((thrown: unknown) => String(thrown));
    expect(late).toContain('machine-missing: "never" did not come within 50 ms');
    expect(late).toMatch(/ {2}\| nearly\n[^]*build\/logs\/machine-missing\.log; 'bun test test\/boot/);
    machine.console.send("reboot -f\n");
    const gone = await machine.console.expect("never", TIMEOUT_MS).catch((thrown: unknown) => String(thrown));
    expect(gone).toContain("did not come: The machine ended: rebooted");
    expect(machine.expectEnd("powered off")).rejects.toThrow("It should have powered off");
  },
  2 * TIMEOUT_MS,
);

/** The volume label stands 120 bytes into ext4's superblock. */
const SHOW_LABEL = "dd bs=1 skip=1144 count=7 2>/dev/null if=";

const INTERFACES: readonly { readonly name: DiskInterface; readonly node: string }[] = [
  { name: "virtio-blk", node: "vdb" },
  { name: "virtio-scsi", node: "sda" },
  { name: "nvme", node: "nvme0n1" },
];
for (const { name, node } of INTERFACES)
  test(
    `a disk on ${name} is plugged in late, bears its serial number, and is pulled out`,
    async () => {
      await using machine = await shell(name, { disks: [{ file: disk }], hotplug: [name] });
      machine.console.send("while ! [ -e /dev/vda ]; do :; done; ls /dev\n");
      expect((await machine.console.expect(/ls \/dev\n[^#]*guest# /, TIMEOUT_MS))[0]).not.toContain(node);
      const id = await machine.plugDisk({ file: disk, interface: name, serial: "LATE" });
      machine.console.send(`while ! [ -b /dev/${node} ]; do :; done; ${SHOW_LABEL}/dev/${node}\n`);
      await machine.console.expect(/^plugged/m, TIMEOUT_MS);
      if (name !== "virtio-scsi") {
        machine.console.send(`cat /sys/block/${node}/serial /sys/block/${node}/device/serial 2>/dev/null\n`);
        await machine.console.expect(/^LATE/m, TIMEOUT_MS);
      }
      await machine.unplugDisk(id, TIMEOUT_MS);
      machine.console.send(`while [ -b /dev/${node} ]; do :; done; echo it is gone\n`);
      await machine.console.expect(/^it is gone\n/m, TIMEOUT_MS);
      expect(await machine.stop()).toMatchObject({ how: "quit" });
    },
    2 * TIMEOUT_MS,
  );

test(
  "a disk is not changed by its guest unless that is asked for",
  async () => {
    const before = await Bun.file(disk).bytes();
    await using machine = await shell("snapshot", { disks: [{ file: disk }] });
    machine.console.send(
      "mount -t ext4 /dev/vda /mnt && echo written >/mnt/file && umount /mnt && sync && poweroff -f\n",
    );
    await machine.expectEnd("powered off");
    expect(Buffer.compare(before, await Bun.file(disk).bytes())).toBe(0);
  },
  2 * TIMEOUT_MS,
);

test(
  "a machine that does not end is killed at its time",
  async () => {
    const options = { name: "machine-hanging", kernel: kernel.vmlinuz, initrd, timeout_ms: 2000 };
    await using machine = await startMachine(options);
    expect(await machine.ended).toEqual({
      how: "timed out",
      detail: "The machine was killed after 2000 ms.",
    });
    expect(() => process.kill(machine.pid, 0)).toThrow();
  },
  2 * TIMEOUT_MS,
);

test("a machine that QEMU does not start tells QEMU's words", async () => {
  await using machine = await startMachine({
    name: "machine-wrong",
    kernel: join(dir, "none"),
    timeout_ms: TIMEOUT_MS,
  });
  const end = await machine.ended;
  expect(end.how).toBe("failed");
  expect(end.detail).toContain("could not");
});
