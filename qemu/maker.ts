/**
 * Disks that only a kernel with md and dm can make: a script runs as root in a guest, and the result is kept.
 */

import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keptFolder } from "./cache.ts";
import { fingerprint, programPath } from "./host.ts";
import { builtinKernel } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import { startMachine } from "./machine.ts";
import { libraries, packInitramfs } from "./tree.ts";
import type { Tree } from "./tree.ts";

export interface MakerRecipe {
  /** Names the log and the cached folder. */
  readonly name: string;
  /** Empty disks for the script, /dev/vda and on in this order; `name` is the file's. */
  readonly disks: readonly { readonly name: string; readonly size_mb: number }[];
  /** Files of the build machine that the script may read as further disks, behind `disks`. */
  readonly inputs?: readonly string[];
  /** busybox sh with -eux; it finds `tree` below /tree. */
  readonly script: string;
  readonly tree?: Tree;
  /** 1 when left out. */
  readonly cpus?: number;
  readonly timeout_ms?: number;
}

/** The build machine's programs that a script may call, besides all of busybox. */
const TOOLS = ["mdadm", "lvm", "cryptsetup", "mkfs.ext4", "mkfs.btrfs", "mkfs.xfs", "mkswap"];

/** No udev runs in the guest: the tools make their nodes themselves and wait for nobody. */
export const LVM_CONF =
  "activation {\n  udev_sync = 0\n  udev_rules = 0\n}\ndevices {\n  use_devicesfile = 0\n}\n";

const DONE = "The disks are made.";

/**
 * The recipe's disks, in its order: files in the cache that must not be written to (a machine does not, by
 * its default). Throws Error with the guest's console when the script fails.
 */
export async function makeDisksInGuest(recipe: MakerRecipe): Promise<string[]> {
  const kernel = await builtinKernel();
  const initramfs = await makerTree(recipe);
  const identity = [
    kernel.version,
    JSON.stringify(recipe.disks),
    JSON.stringify(initramfs.map(withoutPlace)),
  ];
  const contents = [
    ...initramfs.map((entry) => (entry.kind === "file" ? readFileSync(entry.from) : "")),
    ...(recipe.inputs ?? []).map((file) => readFileSync(file)),
  ];
  const dir = await keptFolder(`disks-${recipe.name}`, fingerprint(...identity, ...contents), (half) =>
    makeInGuest(recipe, kernel, initramfs, half),
  );
  return diskFiles(recipe, dir);
}

function diskFiles(recipe: MakerRecipe, dir: string): string[] {
  return recipe.disks.map((disk) => join(dir, disk.name));
}

async function makeInGuest(recipe: MakerRecipe, kernel: Kernel, initramfs: Tree, dir: string): Promise<void> {
  const files = diskFiles(recipe, dir);
  for (const [index, file] of files.entries()) {
    writeFileSync(file, "");
    truncateSync(file, (recipe.disks[index]?.size_mb ?? 0) << 20);
  }
  const initrd = join(dir, "maker.cpio");
  await packInitramfs(initramfs, initrd);
  const machine = await startMachine({
    name: `maker-${recipe.name}`,
    kernel: kernel.vmlinuz,
    initrd,
    append: "quiet panic=-1",
    disks: [
      ...files.map((file) => ({ file, snapshot: false })),
      ...(recipe.inputs ?? []).map((file) => ({ file, readonly: true })),
    ],
    memory_mb: 1024,
    cpus: recipe.cpus ?? 1,
    timeout_ms: recipe.timeout_ms ?? 120_000,
  });
  await machine.ended;
  if (!machine.console.text.includes(DONE))
    throw new Error(machine.console.failure("The script that makes the disks did not come to its end"));
  await machine.expectEnd("powered off");
  rmSync(initrd);
}

async function makerTree(recipe: MakerRecipe): Promise<Tree> {
  const busybox = programPath("busybox");
  const programs = TOOLS.map(programPath);
  const init = [
    "#!/bin/busybox sh",
    "/bin/busybox mkdir -p /bin /sbin /usr/bin /usr/sbin /dev /proc /sys /run /tmp /mnt",
    "/bin/busybox --install -s",
    "mount -t devtmpfs devtmpfs /dev",
    "mount -t proc proc /proc",
    "mount -t sysfs sysfs /sys",
    "mount -t tmpfs tmpfs /run",
    "mkdir /run/lock /run/lvm /run/cryptsetup",
    "export PATH=/tools:/bin:/sbin:/usr/bin:/usr/sbin DM_DISABLE_UDEV=1",
    "exec >/dev/console 2>&1 </dev/console",
    `if sh -eux /script; then sync; echo '${DONE}'; fi`,
    "poweroff -f",
  ];
  return [
    { path: "/init", kind: "text", text: `${init.join("\n")}\n`, mode: 0o755 },
    { path: "/script", kind: "text", text: recipe.script },
    { path: "/bin/busybox", kind: "file", from: busybox, mode: 0o755 },
    { path: "/etc/lvm/lvm.conf", kind: "text", text: LVM_CONF },
    { path: "/etc/mke2fs.conf", kind: "file", from: "/etc/mke2fs.conf" },
    ...programs.map(
      (from, at) => ({ path: `/tools/${TOOLS[at]}`, kind: "file", from, mode: 0o755 }) as const,
    ),
    ...(await libraries(programs)),
    ...(recipe.tree ?? []).map((entry) => ({ ...entry, path: `/tree${entry.path}` })),
    { path: "/tree", kind: "dir" },
  ];
}

/** Where a file lies on this machine does not matter to what is made from it. */
function withoutPlace(entry: Tree[number]): unknown {
  return entry.kind === "file" ? { ...entry, from: "" } : entry;
}
