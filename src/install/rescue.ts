/**
 * What makes a boot partition its own rescue environment: started without init=/init, the kernel runs /sbin/init there,
 * which is busybox, with a shell on the console and the tools of the partition.
 */

import type { Part } from "../image/part.ts";
import { toBytes } from "../lib/bytes.ts";

/** The part of an install that is for rescue; `applets` are those of its busybox. */
export function rescuePart(applets: readonly string[]): Part {
  const links = [...(applets.length > 0 ? applets : LEAST).map((name) => `/bin/${name}`), "/sbin/init"];
  const shell = applets.includes("cttyhack") ? "/bin/busybox cttyhack /bin/sh -l" : "-/bin/sh";
  return {
    why: "the rescue environment",
    links: links.filter((path) => path !== BUSYBOX).map((path) => ({ path, target: BUSYBOX })),
    made: [
      { to: "/etc/inittab", data: toBytes(inittab(shell)) },
      { to: "/etc/rdinit/rescue", data: toBytes(SCRIPT), mode: 0o755 },
    ],
  };
}

const BUSYBOX = "/bin/busybox";

/** What a rescue can't do without, when it is not known what a busybox has. */
const LEAST: readonly string[] = [
  ...[
    "cat",
    "chroot",
    "cp",
    "dmesg",
    "echo",
    "grep",
    "kill",
    "ln",
    "ls",
    "mkdir",
    "mount",
    "mv",
    "ps",
    "reboot",
  ],
  ...["poweroff", "rm", "sh", "sleep", "sync", "umount", "vi"],
];

function inittab(shell: string): string {
  return [
    "# The rescue environment of rdinit: this partition, started without init=/init.",
    "::sysinit:/etc/rdinit/rescue",
    `::respawn:${shell}`,
    "# kill -QUIT 1: the boot goes on by rdinit.",
    "::restart:/init",
    "::ctrlaltdel:/bin/busybox reboot",
    // Read-only, /dev would stay so for the system that is booted on to: there is only one of it.
    "::shutdown:/bin/busybox umount -a -r -t noproc,sysfs,devtmpfs",
    "",
  ].join("\n");
}

/** A kernel with CONFIG_DEVTMPFS_MOUNT has mounted /dev. The partition itself may be read-only. */
const SCRIPT = `#!/bin/sh
# Mounts what a shell and its tools need (busybox, /etc/inittab).
b=/bin/busybox
$b mount -t proc -o nosuid,nodev,noexec proc /proc
$b mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
[ -c /dev/kmsg ] || $b mount -t devtmpfs -o mode=0755 devtmpfs /dev
$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts -o nosuid,noexec,mode=0620,gid=5 devpts /dev/pts
$b mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
$b mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /tmp
echo "This is the boot partition, as it was started without init=/init. To change it: mount -o remount,rw /"
echo "To boot on from here: kill -QUIT 1"
`;
