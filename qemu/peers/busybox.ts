/**
 * The fastest initramfs that is written by hand: busybox, the modules it takes, some lines of script.
 * The measure for rdinit's own boot time.
 */

import type { Kernel } from "../kernel.ts";
import { EXT4_ON_VIRTIO, moduleTree } from "../modules.ts";
import { libraries, packInitramfs } from "../tree.ts";
import type { Tree } from "../tree.ts";

export interface BusyboxOptions {
  /** The root as blkid's findfs knows it. */
  readonly uuid: string;
  /** True writes a line to the kernel's log after each step, for the kernel to put its time before. */
  readonly marks?: boolean;
  /** What it takes to bring up the device of the root, when that is no disk. */
  readonly storage?: BusyboxStorage;
}

export interface BusyboxStorage {
  /** Modules besides those for ext4 on a disk. */
  readonly modules: readonly string[];
  /** Programs of this machine; they lie in /bin, and their libraries beside them. */
  readonly tools: readonly string[];
  /** Lines of the script behind the modules. */
  readonly steps: readonly string[];
  readonly files: Tree;
}

/** Packs the image for this kernel, one whose drivers are all built in too, as `to`. */
export async function busyboxImage(kernel: Kernel, options: BusyboxOptions, to: string): Promise<void> {
  const { modules = [], tools = [], files = [] } = options.storage ?? {};
  const { tree, order } = await moduleTree(kernel, [...EXT4_ON_VIRTIO, ...modules]);
  const programs = tools.map((from): Tree[number] => ({
    path: `/bin/${from.split("/").pop()}`,
    kind: "file",
    from,
    mode: 0o755,
  }));
  const all = [...tree, ...programs, ...(await libraries(tools)), ...files];
  await packInitramfs(busyboxTree(all, order, options), to);
}

/** The image's files. `order` has the paths of the modules among `files`. */
export function busyboxTree(files: Tree, order: readonly string[], options: BusyboxOptions): Tree {
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
    ...(options.storage === undefined ? [] : [...options.storage.steps, ...mark("storage")]),
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
    ...files,
  ];
}
