/** Disks that only a guest under the distribution's kernel can make: what the small kernel has no driver for. */

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keptFolder } from "../cache.ts";
import { fingerprint } from "../host.ts";
import { rdinitImage } from "../images.ts";
import { stockKernel } from "../kernel.ts";
import { startMachine } from "../machine.ts";

export interface StockRecipe {
  /** Names the log and the cached folder. */
  readonly name: string;
  /** Files that become empty disks for the script, /dev/vda and on, and their size. */
  readonly disks: readonly string[];
  readonly size_mb: number;
  /** Lines for busybox sh with -eux, when all disks are there; $b is busybox, and /made/init the program `init`. */
  readonly script: readonly string[];
  readonly init: string;
  /** Programs of this machine by recipe (src/image/recipes), and modules besides those of the disks. */
  readonly tools: readonly string[];
  readonly drivers: readonly string[];
  /** Gives the guest a TPM, whose state is kept in the folder "tpm" beside the disks. */
  readonly tpm?: boolean;
}

const DONE = "The disks are made.";

/**
 * The folder in the cache with the recipe's disks, which must not be written to. Throws Error with the guest's
 * console when they can't be made.
 */
export async function makeUnderStockKernel(recipe: StockRecipe): Promise<string> {
  const { name, init, ...rest } = recipe;
  const kernel = await stockKernel();
  const identity = fingerprint(kernel.version, JSON.stringify(rest), readFileSync(init));
  return keptFolder(`disks-${name}`, identity, async (half) => {
    mkdirSync(join(half, "tpm"));
    await make(recipe, half);
  });
}

/** Lines of a script that make a filesystem with what a root needs, by a command without its device, and unmount it. */
export function fillStock(mkfs: string, device: string, type: string): string[] {
  return [
    `${mkfs} ${device}`,
    "$b mkdir -p /mnt",
    `$b mount -t ${type} ${device} /mnt`,
    "for d in bin boot dev etc proc root run sbin sys tmp usr var; do $b mkdir /mnt/$d; done",
    "$b cp -p /made/init /mnt/sbin/init",
    "$b umount /mnt",
  ];
}

async function make(recipe: StockRecipe, dir: string): Promise<void> {
  const { disks, size_mb, init, tools, drivers, tpm } = recipe;
  const name = `maker-${recipe.name}`;
  const files = disks.map((disk) => join(dir, disk));
  for (const file of files) {
    writeFileSync(file, "");
    truncateSync(file, size_mb << 20);
  }
  const kernel = await stockKernel();
  const initrd = await rdinitImage({
    name,
    kernel,
    drivers: ["virtio_pci", "virtio_blk", ...drivers],
    tools,
    shell: true,
    files: [
      { to: "/etc/rdinit.d/mount/10-make", data: Buffer.from(hook(recipe)), mode: 0o755 },
      { to: "/etc/mke2fs.conf", from: "/etc/mke2fs.conf" },
      { to: "/made/init", from: init, mode: 0o755 },
    ],
  });
  const machine = await startMachine({
    name,
    kernel: kernel.vmlinuz,
    initrd,
    append: `rd.driver.pre=${drivers.join(",")} rd.md=0 rd.hook.timeout=0 panic=-1 rd.shell=0`,
    disks: files.map((file) => ({ file, snapshot: false })),
    ...(tpm === true ? { tpm: join(dir, "tpm") } : {}),
    memory_mb: 1024,
    timeout_ms: 120_000,
  });
  await machine.ended;
  if (!machine.console.text.includes(DONE))
    throw new Error(machine.console.failure("The script that makes the disks did not come to its end"));
}

/** A hook of rdinit itself (boot/hooks.ts), in busybox's shell. */
function hook({ disks, script }: StockRecipe): string {
  const nodes = disks.map((_, at) => `/dev/vd${String.fromCharCode("a".charCodeAt(0) + at)}`);
  return [
    "#!/bin/sh -eux",
    "b=/bin/busybox",
    "export DM_DISABLE_UDEV=1",
    "$b mkdir -p /run/lock /run/lvm /run/cryptsetup",
    `until ${nodes.map((node) => `[ -b ${node} ]`).join(" && ")}; do $b sleep 0.1; done`,
    ...script,
    "$b sync",
    // Past the hook's pipe, which nobody would read to its end.
    `echo '${DONE}' >/dev/console`,
    "$b poweroff -f",
    "",
  ].join("\n");
}
