/** A Debian whose root is opened over SSH, and whose networkd then asks for an address of its own. */

import { stockKernel } from "../kernel.ts";
import { type Machine, startMachine } from "../machine.ts";
import { makeDisksInGuest } from "../maker.ts";
import { type SshKeys, forwardedCard } from "../ssh.ts";
import { userlandDisks } from "./disks.ts";
import { USERLAND, etcFiles } from "./etc.ts";
import { MACHINE_MS, treeImage } from "./session.ts";
import { type TreeRecipe, debianTree } from "./trees.ts";

const RECIPE: TreeRecipe = {
  packages: ["systemd-sysv", "dbus", "iproute2", "busybox-static", "dropbear-bin"],
  setup: ['chroot "$1" systemctl enable systemd-networkd'],
  files: [
    {
      path: "/etc/systemd/network/50-dhcp.network",
      kind: "text",
      text: "[Match]\nName=en* eth*\n\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
    },
  ],
};

/** Starts it under the distribution's kernel; `port` of the loopback leads to its SSH. */
export async function startUnlockedDebian(keys: SshKeys, port: number): Promise<Machine> {
  const kernel = await stockKernel();
  const tree = await debianTree("unlock", RECIPE, etcFiles("passphrase"));
  const disks = await makeDisksInGuest(userlandDisks("unlock", tree));
  return startMachine({
    name: "debian-unlock",
    kernel: kernel.vmlinuz,
    initrd: await unlockImage(keys, tree, kernel.version, kernel.modules),
    append: `root=/dev/mapper/${USERLAND.mapping} ro`,
    disks: disks.map((file) => ({ file })),
    arguments: forwardedCard(port),
    memory_mb: 768,
    timeout_ms: MACHINE_MS,
  });
}

// The tree has no drivers of cards, which the kernel's own folder has.
async function unlockImage(keys: SshKeys, tree: string, version: string, modules: string): Promise<string> {
  const drivers = ["--drivers", "virtio_pci virtio_blk virtio_net ext4"];
  const tools = ["--tools", "mdadm lvm cryptsetup fsck.ext4"];
  const ssh = ["--ssh", ...keys.authorizedKeys.flatMap((key) => ["--authorized-keys", key])];
  const host = keys.hostKeys.flatMap((key) => ["--ssh-host-keys", key]);
  const kernel = ["--kernel", version, "--modules", modules];
  return treeImage("debian-unlock", tree, [...kernel, ...drivers, ...tools, ...ssh, ...host]);
}
