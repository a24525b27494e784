/** The demo root of `make run`: busybox as the real init, and a shell on the console. */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./host.ts";

/** Lays out the root below `root`, which must not exist yet. Needs no root rights. */
export async function writeDemoRoot(root: string): Promise<void> {
  for (const directory of ["bin", "sbin", "usr/bin", "usr/sbin", "etc", "dev", "proc", "sys", "run", "tmp", "root"])
    mkdirSync(join(root, directory), { recursive: true });
  const busybox = (await run(["sh", "-c", "command -v busybox"])).trim();
  await copyFile(busybox, join(root, "bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  for (const applet of (await run([busybox, "--list-full"])).split("\n"))
    if (applet !== "" && applet !== "bin/busybox") symlinkSync("/bin/busybox", join(root, applet));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
  chmodSync(join(root, "etc/rc"), 0o755);
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
