/** Images that the command `rdinit image` builds, on the distribution's kernel: every compression and selection boots. */

import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, ROOT_UUID, TEST_MS, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import type { CpioEntry } from "../../src/image/cpio.ts";
import { COMPRESSIONS, type ImageCompression, writeImage } from "../../src/image/write.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let kernel: Kernel;
let disk: string;

beforeAll(async () => {
  kernel = await stockKernel();
  disk = await probeDisk(dir);
}, MACHINE_MS);

async function build(name: string, options: readonly string[]): Promise<string> {
  const file = join(dir, `${name}.img`);
  await run([join(PROJECT, "build/rdinit"), "image", "-o", file, "--modules", kernel.modules, ...options]);
  return file;
}

async function boot(name: string, initrd: string, append: string) {
  const machine = await startMachine({
    name: `image-${name}`,
    kernel: kernel.vmlinuz,
    initrd,
    append,
    disks: [{ file: disk, readonly: true }],
    timeout_ms: MACHINE_MS,
  });
  const listing = await probed(machine);
  expect(listing.get("mount./.source")).toBe("/dev/vda");
  return machine;
}

// The kernel unpacks each as it is written here. A small /init shows it as well as a large one does, and sooner.
for (const compression of Object.keys(COMPRESSIONS) as ImageCompression[])
  test(
    `the kernel unpacks ${compression}, behind an early archive that is not compressed`,
    async () => {
      const script = "#!/bin/busybox sh\n/bin/busybox cat /word /early/word\n/bin/busybox poweroff -f\n";
      const busybox = readFileSync(staticBusybox());
      const file = { type: "file", mode: 0o755 } as const;
      const initrd = join(dir, `${compression}.img`);
      const entries: CpioEntry[] = [
        { type: "directory", path: "bin", mode: 0o755 },
        { ...file, path: "bin/busybox", data: busybox },
        { type: "directory", path: "dev", mode: 0o755 },
        { type: "char", path: "dev/console", mode: 0o600, rdev: "5:1" },
        { ...file, path: "init", data: Buffer.from(script) },
        { ...file, path: "word", data: Buffer.from(`unpacked from ${compression}\n`) },
      ];
      const early: CpioEntry[] = [
        { type: "directory", path: "early", mode: 0o755 },
        { ...file, path: "early/word", data: Buffer.from("and what came first\n") },
      ];
      await writeImage(initrd, entries, compression, undefined, early);
      const machine = await startMachine({
        name: `image-${compression}`,
        kernel: kernel.vmlinuz,
        initrd,
        // The kernel puts no line between the two.
        append: "quiet",
        timeout_ms: MACHINE_MS,
      });
      await machine.console.expect(`unpacked from ${compression}\nand what came first\n`, MACHINE_MS);
      await machine.expectEnd("powered off");
    },
    TEST_MS,
  );

test(
  "--drivers, compressed as lz4",
  async () => {
    const options = ["--drivers", "virtio_pci virtio_blk ext4", "--compress", "lz4"];
    await boot("drivers", await build("drivers", options), `root=UUID=${ROOT_UUID}`);
  },
  TEST_MS,
);

test(
  "--generic, with the root named in rdinit.ini",
  async () => {
    const config = join(dir, "rdinit.ini");
    await Bun.write(config, `[image]\ngeneric\n[boot]\nroot = UUID=${ROOT_UUID}\nrootflags = noatime\n`);
    const image = await build("generic", ["--config", config]);
    const machine = await boot("generic", image, "debug");
    expectSaid(machine, [/^mounted \/dev\/vda \(ext4\) as the root, read-only$/]);
  },
  TEST_MS,
);
