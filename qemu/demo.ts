/** The demo root of `make run`: busybox as the real init, and a shell on the console. */

import { run } from "./host.ts";
import { staticBusybox } from "./images.ts";
import { ROOT_FOLDERS, type Tree, type TreeEntry } from "./tree.ts";

/** The whole root. */
export async function demoTree(): Promise<Tree> {
  const busybox = staticBusybox();
  const applets = (await run([busybox, "--list-full"])).split("\n");
  return [
    ...ROOT_FOLDERS,
    { path: "/bin/busybox", kind: "file", from: busybox, mode: 0o755 },
    ...applets
      .filter((applet) => applet !== "" && applet !== "bin/busybox")
      .map((applet): TreeEntry => ({ path: `/${applet}`, kind: "link", target: "/bin/busybox" })),
    ...Object.entries(files).map(([path, text]): TreeEntry => ({
      path: `/${path}`,
      kind: "text",
      text,
      mode: path === "etc/rc" ? 0o755 : 0o644,
    })),
  ];
}

const files: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\n",
  "etc/hostname": "rdinit-demo\n",
  "etc/fstab": "# The root is mounted already; rc makes it writable.\n",
  "etc/inittab": [
    "::sysinit:/etc/rc",
    "ttyS0::respawn:-/bin/sh",
    "tty1::askfirst:-/bin/sh",
    "::ctrlaltdel:/sbin/reboot",
    "::shutdown:/bin/umount -a -r",
    "",
  ].join("\n"),
  "etc/rc": [
    "#!/bin/sh",
    "mount -o remount,rw /",
    "hostname -F /etc/hostname",
    "mkdir -p /dev/pts && mount -t devpts devpts /dev/pts",
    "read -r up _ </proc/uptime",
    'echo "rdinit-demo: the real init runs as process 1 after $up s. poweroff or Ctrl-A X leaves."',
    "",
  ].join("\n"),
  "etc/profile": [
    "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root",
    "export PS1='rdinit-demo:\\w# '",
    "cd",
    "",
  ].join("\n"),
};
