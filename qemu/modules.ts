/** Kernel modules for the harness's own initramfs images, in the order in which insmod takes them. */

import { join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { run } from "./host.ts";
import type { Kernel } from "./kernel.ts";
import type { TreeEntry } from "./tree.ts";

/** What ext4 on a virtio-blk disk takes under a kernel that has both as modules. */
export const EXT4_ON_VIRTIO = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"];

/**
 * The modules `names` and all they depend on, each after what it needs, as names without .ko.
 * Built-in ones are left out. Throws UserError for a name that the kernel has not.
 */
export function loadOrder(modulesDep: string, modulesBuiltin: string, names: readonly string[]): string[] {
  const builtin = new Set(modulesBuiltin.split("\n").map(moduleName));
  const needs = new Map<string, string>();
  for (const line of modulesDep.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) needs.set(moduleName(line.slice(0, colon)), line);
  }
  const order = new Set<string>();
  for (const name of names) {
    if (builtin.has(name)) continue;
    const line = needs.get(name);
    if (line === undefined) throw new UserError(`This kernel has no module '${name}'.`);
    // depmod writes what must be loaded first to the right.
    for (const file of line.replace(":", " ").split(" ").filter(Boolean).toReversed()) order.add(file);
  }
  return [...order];
}

/** Tree entries for these modules below /modules, uncompressed, and their paths there in load order. */
export async function moduleTree(
  kernel: Kernel,
  names: readonly string[],
): Promise<{ readonly tree: TreeEntry[]; readonly order: string[] }> {
  const read = (name: string) => Bun.file(join(kernel.modules, name)).text();
  const files = loadOrder(await read("modules.dep"), await read("modules.builtin"), names);
  const tree: TreeEntry[] = [];
  for (const file of files) {
    const from = join(kernel.modules, file);
    const path = `/modules/${moduleName(file)}.ko`;
    const tool = { xz: "xz", zst: "zstd" }[/\.ko\.(xz|zst)$/.exec(file)?.[1] ?? ""];
    if (tool === undefined) tree.push({ path, kind: "file", from, mode: 0o644 });
    else tree.push({ path, kind: "file", from: await unpacked(tool, from), mode: 0o644 });
  }
  return { tree, order: files.map((file) => `/modules/${moduleName(file)}.ko`) };
}

/** "kernel/fs/ext4/ext4.ko.xz" is ext4; - and _ are one to the kernel. */
function moduleName(file: string): string {
  return (file.split("/").pop() ?? "").replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");
}

async function unpacked(tool: string, from: string): Promise<string> {
  const to = from.replace(/\.\w+$/, "");
  await run([tool, "-d", "-k", "-f", "-q", from]);
  return to;
}
