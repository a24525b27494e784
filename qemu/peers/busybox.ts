/**
 * The fastest initramfs that is written by hand: busybox, the modules it takes, ten lines of script.
 * The measure for rdinit's own boot time.
 */

import type { Kernel } from "../kernel.ts";
import { EXT4_ON_VIRTIO, moduleTree } from "../modules.ts";
import { packInitramfs } from "../tree.ts";
import type { Tree } from "../tree.ts";

export interface BusyboxOptions {
  /** The root as blkid's findfs knows it. */
  readonly uuid: string;
  /** True writes a line to the kernel's log after each step, for the kernel to put its time before. */
  readonly marks?: boolean;
}

/** Packs the image for this kernel, one whose drivers are all built in too, as `to`. */
export async function busyboxImage(kernel: Kernel, options: BusyboxOptions, to: string): Promise<void> {
  const { tree, order } = await moduleTree(kernel, EXT4_ON_VIRTIO);
  await packInitramfs(busyboxTree(tree, order, options), to);
}

/** The image's files. */
export function busyboxTree(modules: Tree, order: readonly string[], options: BusyboxOptions): Tree {
  const mark = (what: string) => (options.marks === true ? [`echo 'mark ${what}' >/dev/kmsg`] : []);
  const script = [
    "#!/bin/busybox sh",
    "export PATH=/bin",
    "busybox mount -t devtmpfs dev /dev",
    ...mark("dev"),
    "busybox mount -t proc proc /proc",
    "busybox mount -t sysfs sys /sys",
    "busybox mount -t tmpfs -o mode=755,nosuid,nodev run /run",
    ...mark("mounts"),
    ...order.flatMap((path) => [`busybox insmod ${path}`, ...mark(path)]),
    `until root=$(busybox findfs UUID=${options.uuid} 2>/dev/null); do busybox usleep 10000; done`,
    ...mark("findfs"),
    "busybox mount -t ext4 -o ro $root /root",
    ...mark("mount"),
    "for name in dev proc sys run; do busybox mount --move /$name /root/$name; done",
    ...mark("move"),
    "exec busybox switch_root /root /sbin/init",
  ];
  return [
    { path: "/init", kind: "text", text: `${script.join("\n")}\n`, mode: 0o755 },
    { path: "/bin/busybox", kind: "file", from: "/bin/busybox", mode: 0o755 },
    ...["dev", "proc", "sys", "run", "root"].map((name) => ({ path: `/${name}`, kind: "dir" }) as const),
    ...modules,
  ];
}
