/** What `rdinit image --network` builds gets an address on the distribution's kernel. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, ROOT_UUID, TEST_MS, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let kernel: Kernel;
let disk: string;

beforeAll(async () => {
  kernel = await stockKernel();
  disk = await probeDisk(dir);
}, MACHINE_MS);

test.each([
  [
    "named drivers and no rescue shell",
    "virtio-net-pci",
    ["--drivers", "virtio_pci virtio_blk ext4 virtio_net", "--without-shell"],
    false,
  ],
  [
    "a rescue shell, and a card of another kind",
    "e1000e",
    ["--drivers", "virtio_pci virtio_blk ext4 e1000e"],
    true,
  ],
])(
  "%s",
  async (_, model, options, hasShell) => {
    const initrd = join(dir, `${model}.img`);
    const build = [...options, "--network", "--modules", kernel.modules];
    await run([join(PROJECT, "build/rdinit"), "image", "-o", initrd, ...build]);
    const listed = await run([join(PROJECT, "build/rdinit"), "list", initrd]);
    expect(/bin\/sh\b/.test(listed)).toBe(hasShell);
    const machine = await startMachine({
      name: `network-image-${model}`,
      kernel: kernel.vmlinuz,
      initrd,
      append: `root=UUID=${ROOT_UUID} ip=dhcp rd.neednet=1`,
      disks: [{ file: disk, readonly: true }],
      cards: [{ link: { kind: "user" }, model }],
      timeout_ms: MACHINE_MS,
    });
    const listing = await probed(machine);
    expectSaid(machine, [/10\.0\.2\.15\/24/]);
    expect([listing.get("net.eth0.flags"), listing.get("net.eth0.ipv4")]).toEqual([
      "1002",
      "<EADDRNOTAVAIL>",
    ]);
  },
  TEST_MS,
);
