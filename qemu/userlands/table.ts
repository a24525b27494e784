/** The userlands that are booted: what makes one Debian different from the next is its process 1. */

import type { Tree } from "../tree.ts";

export interface Userland {
  readonly packages: readonly string[];
  /** Shell lines that run on the build machine; the tree is "$1". */
  readonly setup: readonly string[];
  /** Files beside those of etc.ts. */
  readonly files: Tree;
  /** How its root is opened: by a file in the image, or by a person. */
  readonly unlock: "key file" | "passphrase";
}

export const USERLAND_NAMES = ["systemd", "sysvinit", "openrc", "runit", "finit"] as const;
export type UserlandName = (typeof USERLAND_NAMES)[number];

/** inittab(5) of Debian has a line for a serial console, commented out. */
const SERIAL_INITTAB = `sed -i 's/^#\\(T0:.*\\) 9600 vt100$/\\1 115200 vt102/' "$1/etc/inittab"`;

/** finit has logins on the screen only; without the last word it asks for Enter first. */
const SERIAL_FINIT = "tty [12345] /dev/ttyS0 115200 vt102 nowait\n";

export const USERLANDS: Readonly<Record<UserlandName, Userland>> = {
  // logind is there in any case, and talks by dbus.
  systemd: { packages: ["systemd-sysv", "dbus"], setup: [], files: [], unlock: "key file" },
  sysvinit: {
    packages: ["sysvinit-core", "sysv-rc"],
    setup: [SERIAL_INITTAB],
    files: [],
    unlock: "passphrase",
  },
  openrc: { packages: ["sysvinit-core", "openrc"], setup: [SERIAL_INITTAB], files: [], unlock: "key file" },
  runit: {
    packages: ["runit-init", "getty-run"],
    setup: [],
    files: [{ path: "/etc/runit/runsvdir/default/getty-ttyS0", kind: "link", target: "/etc/sv/getty-ttyS0" }],
    unlock: "key file",
  },
  finit: {
    packages: ["finit-sysv", "finit-plugins"],
    setup: [],
    files: [{ path: "/etc/finit.d/serial.conf", kind: "text", text: SERIAL_FINIT }],
    unlock: "key file",
  },
};
