/**
 * The root tree of the server guest: a small Debian with servers for addresses, files and disks, and the kernel's modules
 * for them. What it does is told by its initramfs (server.ts), so that a test costs no new tree.
 */

import { keptFile } from "../cache.ts";
import { run } from "../host.ts";
import { type Kernel, stockKernel } from "../kernel.ts";
import { type Tree, withStaged } from "../tree.ts";
import { machineRelease } from "../userlands/apt.ts";
import { OPTIONS, mmdebstrap, squashed } from "../userlands/mmdebstrap.ts";

/** The tree as a squashfs; made when it is not there yet, which takes a minute. Throws UserError when a program fails. */
export async function serverTree(): Promise<string> {
  const kernel = await stockKernel();
  const { codename = "" } = await machineRelease();
  const from = JSON.stringify([kernel.version, codename, PACKAGES, MODULES, OPTIONS, HOOKS, FILES]);
  return keptFile("network-server.squashfs", from, (half) => makeServer(kernel, codename, half));
}

const PACKAGES = [
  ...["busybox-static", "kmod", "iproute2", "mount", "procps"],
  ...["dnsmasq-base", "nfs-kernel-server", "nbd-server", "tgt"],
];

/** The folders and files of the kernel's modules that hold what a server needs, a twentieth of all. */
const MODULES = [
  ...["fs", "lib", "crypto", "net/sunrpc", "net/8021q", "net/802", "net/bridge", "net/llc", "net/core"],
  ...["drivers/block", "drivers/virtio", "drivers/net/bonding", "drivers/net/virtio_net.ko"],
  ...["drivers/net/net_failover.ko", "drivers/net/dummy.ko"],
];

/** mmdebstrap leaves it out with the nodes in it. */
const FILES: Tree = [{ path: "/dev", kind: "dir" }];

const HOOKS = [
  '--customize-hook=cd "$MODULES" && tar -c --owner=0 --group=0 modules.order modules.builtin modules.builtin.modinfo $FOLDERS | (mkdir -p "$1/usr/lib/modules/$VERSION" && tar -C "$1/usr/lib/modules/$VERSION" -x)',
  '--customize-hook=depmod -b "$1" "$VERSION"',
  '--customize-hook=rm -rf "$1"/var/cache/apt "$1"/var/lib/apt "$1"/usr/share/zoneinfo',
];

async function makeServer(kernel: Kernel, codename: string, to: string): Promise<void> {
  const folders = MODULES.map((name) => `kernel/${name}`).join(" ");
  const env = { MODULES: kernel.modules, VERSION: kernel.version, FOLDERS: folders };
  const argv = ["--variant=essential", `--include=${PACKAGES.join(",")}`, ...HOOKS];
  await squashed(to, (tar) =>
    withStaged(FILES, async (files) => {
      await mmdebstrap([...argv, codename, tar], env);
      await run(["tar", "-rf", tar, "-C", files, "--owner=0", "--group=0", "."]);
    }),
  );
}
