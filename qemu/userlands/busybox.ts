/**
 * Small real systems of busybox alone: its init with an inittab, and its init with runit's supervision. They boot from
 * a disk as well as out of an initramfs that holds all of them.
 */

import { fullBusybox } from "./busybox-build.ts";
import { run } from "../host.ts";
import { ROOT_FOLDERS, type Tree, type TreeEntry } from "../tree.ts";

/** The password of root in both. */
export const PASSWORD = "open sesame";

/** What an ext4 in a file says of itself: "clean" when it was unmounted, or made read-only, before the power went. */
export async function filesystemState(file: string): Promise<string> {
  const header = await run(["dumpe2fs", "-h", file]);
  const state = /^Filesystem state: +(.*)$/m.exec(header)?.[1] ?? "unknown";
  return /^Filesystem features:.*needs_recovery/m.test(header) ? `${state}, journal not empty` : state;
}

/** What init prints when it is done with its first work; the time follows. */
export const READY = "userland ready:";

/** busybox init: an inittab with a login on the serial console, by getty and login, which ask for a password. */
export async function busyboxInitSystem(): Promise<Tree> {
  return system({
    "etc/inittab": [
      "::sysinit:/etc/rc",
      "ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100",
      "::ctrlaltdel:/sbin/reboot",
      `::shutdown:${UNMOUNT}`,
      "",
    ].join("\n"),
    "etc/rc": script(MOUNTS, "hostname -F /etc/hostname", `echo "${READY} init"`),
  });
}

/**
 * busybox init whose only services are runit's: stage 1 does what comes once, stage 2 is runsvdir, which keeps the tty
 * service alive, where a name is enough to be root, and stage 3 ends the services.
 */
export async function busyboxRunitSystem(): Promise<Tree> {
  return system({
    "etc/inittab": ["::sysinit:/etc/runit/1", "::respawn:/etc/runit/2", "::shutdown:/etc/runit/3", ""].join(
      "\n",
    ),
    "etc/runit/1": script(
      MOUNTS,
      // A kernel that was built to call a helper for each device; others have mdev look once.
      "[ ! -w /proc/sys/kernel/hotplug ] || echo /sbin/mdev >/proc/sys/kernel/hotplug",
      "mdev -s",
      "hostname -F /etc/hostname",
      "ip link set lo up",
      `echo "${READY} runit"`,
    ),
    "etc/runit/2": script("exec runsvdir -P /etc/runit/sv"),
    // What runs still writes to the disk, so that it could not be made read-only.
    "etc/runit/3": script("killall runsvdir", "sv -w 1 force-shutdown /etc/runit/sv/*", UNMOUNT),
    "etc/runit/sv/tty/run": script("exec getty -L 115200 ttyS0 -l /bin/su"),
  });
}

/** All but what can't be, and needs not. */
const UNMOUNT = "/bin/umount -a -r -t noproc,sysfs,devtmpfs,devpts,tmpfs,rootfs";

/** What is mounted already, by who started us, stays: everything else would be mounted a second time. */
const MOUNTS = [
  'mounted() { grep -q " $1 " /proc/mounts; }',
  "[ -e /proc/mounts ] || mount -t proc proc /proc",
  "mounted /sys || mount -t sysfs sysfs /sys",
  "mounted /dev || mount -t devtmpfs devtmpfs /dev",
  "mounted /run || mount -t tmpfs -o mode=0755 tmpfs /run",
  "mkdir -p /dev/pts && mount -t devpts devpts /dev/pts",
  "mount -o remount,rw /",
].join("\n");

async function system(files: Readonly<Record<string, string>>): Promise<Tree> {
  const busybox = await fullBusybox();
  const applets = (await run([busybox, "--list-full"])).split("\n");
  const all: Readonly<Record<string, string>> = { ...files, ...(await accounts()) };
  return [
    ...ROOT_FOLDERS,
    { path: "/bin/busybox", kind: "file", from: busybox, mode: 0o4755 },
    ...applets
      .filter((applet) => applet !== "" && applet !== "bin/busybox")
      .map((applet): TreeEntry => ({ path: `/${applet}`, kind: "link", target: "/bin/busybox" })),
    ...Object.entries(all).map(([path, text]): TreeEntry => ({
      path: `/${path}`,
      kind: "text",
      text,
      mode: text.startsWith("#!") ? 0o755 : 0o644,
    })),
  ];
}

async function accounts(): Promise<Record<string, string>> {
  const crypted = (await run(["openssl", "passwd", "-6", "-salt", "rdinit", PASSWORD])).trim();
  return {
    "etc/passwd": `root:${crypted}:0:0:root:/root:/bin/sh\n`,
    "etc/group": "root:x:0:\n",
    "etc/hostname": "userland\n",
    "etc/securetty": "ttyS0\n",
    "etc/profile": "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PS1='userland# '\n",
  };
}

function script(...lines: readonly string[]): string {
  return ["#!/bin/sh", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", ...lines, ""].join("\n");
}
