/**
 * One file that boots: rdinit inside the kernel by CONFIG_INITRAMFS_SOURCE, in all its forms, and an archive that
 * the kernel's own gen_init_cpio made of our list.
 */

import { beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FORMS, initramfsSource } from "../../qemu/embed.ts";
import { run } from "../../qemu/host.ts";
import { builtinKernel, builtinKernelWith, genInitCpio } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, probed, probeDisk, ROOT_UUID } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

// Each kernel has its hundred megabytes linked and compressed: a quarter of a minute on an idle machine.
const LINK_MS = 300_000;

const dir = temporaryDirectory();
let disk: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
}, MACHINE_MS);

for (const form of FORMS)
  test(
    `a kernel alone, with the image inside it from a ${form}`,
    async () => {
      const [folder, kernel] = [join(dir, form), join(dir, `vmlinuz-${form}`)];
      mkdirSync(folder);
      await builtinKernelWith(await initramfsSource(form, folder, []), kernel);
      await expectBoot(`embedded-${form}`, kernel);
    },
    LINK_MS,
  );

test(
  "an archive by gen_init_cpio from our list",
  async () => {
    const [folder, archive] = [join(dir, "by-hand"), join(dir, "by-hand.cpio")];
    mkdirSync(folder);
    await run([await genInitCpio(), await initramfsSource("list", folder, [])], { log: archive });
    expect(readFileSync(archive).subarray(0, 6).toString()).toBe("070701");
    await expectBoot("embedded-by-hand", (await builtinKernel()).vmlinuz, archive);
  },
  LINK_MS,
);

/** Boots into the probe on the disk, and holds what it saw against what rdinit promises. */
async function expectBoot(name: string, kernel: string, initrd?: string): Promise<void> {
  const machine = await startMachine({
    name,
    kernel,
    ...(initrd === undefined ? {} : { initrd }),
    append: `root=UUID=${ROOT_UUID}`,
    disks: [{ file: disk }],
    // The archive and what is unpacked of it are there at once.
    memory_mb: 768,
    timeout_ms: MACHINE_MS,
  });
  const listing = await probed(machine);
  expect(Object.fromEntries(listing)).toMatchObject({
    pid: "1",
    "argv.0": "/sbin/init",
    "argv.count": "1",
    "mount./.type": "ext4",
    "fd.count": "3",
    "fd.0.link": "/dev/console",
    "processes.others": "0",
    "kernel.cmdline": `console=ttyS0 no_timer_check root=UUID=${ROOT_UUID}`,
  });
  // The archive that was inside is gone, and so is what was unpacked of it.
  const used_kb = Number(listing.get("memory.MemTotal")) - Number(listing.get("memory.free"));
  expect(used_kb).toBeLessThan(16_384);
}
