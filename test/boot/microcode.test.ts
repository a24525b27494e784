/** Microcode in front of an image: the kernel loads it, and boots the image behind it. */

import { beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rdinitImage } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  probeDisk,
  probed,
  shellCommand,
} from "../../qemu/scenario.ts";
import { writeCpio } from "../../src/image/cpio.ts";
import { microcodeArchive } from "../../src/image/microcode.ts";
import { RootTree } from "../../src/image/root-tree.ts";
import { joinArchives } from "../../src/image/uki.ts";
import { LOADABLE, makeAmdContainer, makeCpuinfo, makeIntelUpdate } from "../fixtures/microcode.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let kernel: Kernel;
let image: Uint8Array;

beforeAll(async () => {
  kernel = await stockKernel();
  image = readFileSync(await rdinitImage({ name: "microcode", kernel, shell: true }));
  for (const [name, data] of [
    ["amd-ucode/microcode_amd_fam19h.bin", container(LOADABLE.signature)],
    ["amd-ucode/microcode_amd_fam17h.bin", container(0x800f82)],
    ["intel-ucode/06-8e-09", makeIntelUpdate({ signature: 0x806e9 })],
  ] as const) {
    const path = join(dir, "lib/firmware", name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, data);
  }
}, MACHINE_MS);

function container(signature: number): Uint8Array {
  const mark = 0xa111;
  return makeAmdContainer({
    processors: [{ signature, mark }],
    patches: [{ mark, id: LOADABLE.level, size: 3200 }],
  });
}

/** An image with microcode in front. */
function imageWith(name: string, which: "host" | "all", main: Uint8Array): string {
  const cpuinfo = makeCpuinfo(LOADABLE.vendor, LOADABLE.processor);
  const { entries, notes } = microcodeArchive(new RootTree(dir), which, cpuinfo);
  expect(notes).toEqual([]);
  const file = join(dir, `${name}.img`);
  writeFileSync(file, joinArchives([Buffer.concat([...writeCpio(entries)]), main]));
  return file;
}

test(
  "the kernel loads this processor's before all else, and boots the compressed image behind it",
  async () => {
    const disk = await probeDisk(dir);
    const machine = await bootRdinit("microcode-host", {
      kernel: kernel.vmlinuz,
      initrd: imageWith("host", "host", Bun.gzipSync(image as Uint8Array<ArrayBuffer>, { level: 1 })),
      append: `root=UUID=${ROOT_UUID}`,
      disks: [{ file: disk }],
      memory_mb: 1024,
      arguments: LOADABLE.arguments,
    });
    const listing = await probed(machine);
    expect(machine.console.text).toMatch(LOADABLE.said);
    expect(listing.get("kernel.cmdline")).toContain(ROOT_UUID);
  },
  TEST_MS,
);

test(
  "it finds this processor's among all, and unpacks both archives",
  async () => {
    const machine = await bootRdinit("microcode-all", {
      kernel: kernel.vmlinuz,
      initrd: imageWith("all", "all", image),
      append: "quiet",
      memory_mb: 1024,
      arguments: LOADABLE.arguments,
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    expect(await shellCommand(machine, "cd /kernel/x86/microcode && wc -c *")).toMatch(
      /^ +6504 AuthenticAMD\.bin\n +1024 GenuineIntel\.bin\n +7528 total\n$/,
    );
    expect(await shellCommand(machine, "dmesg | grep microcode:")).toMatch(LOADABLE.said);
    await machine.stop();
  },
  TEST_MS,
);
