/**
 * Debian systems that take a network over: what configures eth0 is what makes one different from the next. Each is an
 * ext4, for a server to export or for a disk of the machine itself, and records what becomes of its links and addresses.
 */

import { type MakerRecipe, makeDisksInGuest } from "../maker.ts";
import type { Tree } from "../tree.ts";
import { USERLAND } from "../userlands/etc.ts";
import { type TreeRecipe, debianTree } from "../userlands/trees.ts";

export const NETWORK_USERLANDS = ["networkd", "ifupdown", "ifupdown-sysvinit"] as const;
export type NetworkUserland = (typeof NETWORK_USERLANDS)[number];

/** Where a system writes its links and addresses as it finds them, then what `ip monitor` says of them. */
export const EVENTS = "/run/network-events";

/** The line between the two. */
export const STARTED = "started";

/** The squashfs of the tree, for `rdinit image --root`; and the ext4 with the same in it. */
export async function networkUserland(
  name: NetworkUserland,
): Promise<{ readonly tree: string; readonly disk: string }> {
  const tree = await debianTree(`network-${name}`, RECIPES[name], ETC);
  const [disk = ""] = await makeDisksInGuest(diskRecipe(name, tree));
  return { tree, disk };
}

const ETC: Tree = Object.entries({
  "/etc/hostname": `${USERLAND.hostname}\n`,
  "/etc/hosts": `127.0.0.1 localhost\n127.0.1.1 ${USERLAND.hostname}\n`,
  "/etc/resolv.conf": "",
  "/etc/machine-id": "5d1e7c0fa2b84c63952d0b7e4f8a1c3d\n",
  // The kernel command line mounts the root, read-write, wherever it is.
  "/etc/fstab": "# nothing\n",
}).map(([path, text]) => ({ path, kind: "text", text }) as const);

const PACKAGES = ["iproute2", "busybox-static"];
const WATCH = `{ ip -o link; ip -o addr; echo ${STARTED}; exec ip -ts monitor link address route; } >${EVENTS}`;

const WATCH_UNIT = `[Unit]
DefaultDependencies=no
Before=sysinit.target networking.service systemd-networkd.service systemd-udevd.service

[Service]
Type=exec
ExecStart=/bin/sh -c '${WATCH}'
# The end of the system is watched too.
KillSignal=SIGCONT
SendSIGKILL=no
`;

const OF_SYSTEMD = {
  packages: ["systemd-sysv", "dbus", ...PACKAGES],
  files: [
    { path: "/etc/systemd/system/watch.service", kind: "text", text: WATCH_UNIT },
    {
      path: "/etc/systemd/system/sysinit.target.wants/watch.service",
      kind: "link",
      target: "../watch.service",
    },
  ],
} as const;

/** DHCP for eth0, as Debian's installer writes it. */
const INTERFACES = "auto lo eth0\niface lo inet loopback\niface eth0 inet dhcp\n";

const RECIPES: Readonly<Record<NetworkUserland, TreeRecipe>> = {
  networkd: {
    // For an image that attaches the root by it.
    packages: [...OF_SYSTEMD.packages, "nbd-client"],
    setup: ['chroot "$1" systemctl enable systemd-networkd'],
    files: [
      ...OF_SYSTEMD.files,
      {
        path: "/etc/systemd/network/50-dhcp.network",
        kind: "text",
        text: "[Match]\nName=e*\n\n[Network]\nDHCP=yes\n",
      },
    ],
  },
  ifupdown: {
    packages: [...OF_SYSTEMD.packages, "ifupdown", "isc-dhcp-client"],
    setup: [],
    files: [...OF_SYSTEMD.files, { path: "/etc/network/interfaces", kind: "text", text: INTERFACES }],
  },
  "ifupdown-sysvinit": {
    packages: ["sysvinit-core", "sysv-rc", "ifupdown", "isc-dhcp-client", ...PACKAGES],
    setup: [
      `sed -i -e 's/^#\\(T0:.*\\) 9600 vt100$/\\1 115200 vt102/' -e '1i wa::sysinit:/sbin/watch' "$1/etc/inittab"`,
    ],
    files: [
      { path: "/etc/network/interfaces", kind: "text", text: INTERFACES },
      { path: "/usr/sbin/watch", kind: "text", text: `#!/bin/sh\n${WATCH} &\n`, mode: 0o755 },
    ],
  },
};

function diskRecipe(name: NetworkUserland, tree: string): MakerRecipe {
  const lines = [
    `mkfs.ext4 -q -F -J size=4 -U ${USERLAND.filesystem} /dev/vda`,
    "mkdir /source",
    "mount -t squashfs -o ro /dev/vdb /source",
    "mount -t ext4 /dev/vda /mnt",
    "cp -a /source/. /mnt/",
    "umount /mnt",
  ];
  return {
    name: `network-${name}`,
    disks: [{ name: "root.img", size_mb: 512 }],
    inputs: [tree],
    script: `${lines.join("\n")}\n`,
    timeout_ms: 240_000,
  };
}
