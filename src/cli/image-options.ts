/** The options of `rdinit image`. All but the first two and the last may stand in [image] of rdinit.ini, too. */

import { COMPRESSIONS } from "../image/write.ts";
import type { Option } from "./command.ts";

/** What a command that builds an image can be told. */
export const IMAGE_OPTIONS: readonly Option[] = [
  {
    name: "output",
    short: "o",
    value: "FILE",
    meaning: "write the image there; an older one is replaced when the new one is whole",
  },
  {
    name: "config",
    short: "c",
    value: "FILE",
    meaning: "read this configuration instead of /etc/rdinit.ini",
  },
  {
    name: "kernel",
    short: "k",
    value: "VERSION",
    meaning: "for this kernel, by the name of its directory in /lib/modules (default: the running one)",
  },
  { name: "modules", value: "DIR", meaning: "take its modules from this directory, which holds modules.dep" },
  {
    name: "root",
    value: "DIR",
    meaning: "take everything from this root tree: an image for another machine",
  },
  {
    name: "host",
    meaning:
      "the drivers that this machine's root filesystem needs, and its tools (the default without --root)",
  },
  {
    name: "generic",
    meaning: "the drivers of all disks, filesystems and keyboards (the default with --root)",
  },
  {
    name: "drivers",
    value: "LIST",
    meaning:
      "exactly these drivers and what they need, by module name or alias; 'none' for a kernel that has all built in",
  },
  {
    name: "network",
    meaning:
      "the drivers of this machine's network interfaces, with --generic of all, and DHCP (by itself when this machine's root is on the network)",
  },
  {
    name: "ssh",
    meaning: "remote unlock: dropbear, which asks whoever logs in for the passphrase; brings --network",
  },
  {
    name: "authorized-keys",
    value: "FILE",
    meaning:
      "the public keys that may log in, with --ssh; may be given often (default: /etc/rdinit/authorized_keys, or dropbear-initramfs's)",
  },
  {
    name: "ssh-host-keys",
    value: "FILE",
    meaning:
      "a private key by which clients know the server, OpenSSH's or dropbear's; may be given often (default: those in /etc/rdinit, where one is made the first time)",
  },
  {
    name: "tools",
    value: "LIST",
    meaning: "programs with all that they need: mdadm, lvm, cryptsetup, fsck.ext4 … or any path",
  },
  {
    name: "include",
    value: "FILE[:PATH]",
    meaning: "put a file or directory in, at PATH when that is given; may be given often",
  },
  {
    name: "key-files",
    meaning: "the key files that crypttab names: whoever can read the image can open those disks",
  },
  {
    name: "cmdline",
    value: "WORDS",
    meaning: "parameters for /init, which the kernel command line overrides",
  },
  {
    name: "microcode",
    value: "host|all|none",
    meaning: "processor microcode in front of the image, for this processor or for all (default: none)",
  },
  {
    name: "without-shell",
    meaning: "no rescue shell (rd.shell=0), and no busybox unless the network needs its DHCP",
  },
  { name: "exitrd", meaning: "the boot keeps rdinit in memory for the end of the system, as rd.exitrd says" },
  {
    name: "init",
    value: "FILE",
    meaning: "the rdinit that becomes /init (default: this program; its packed form when that is beside it)",
  },
  {
    name: "compress",
    value: Object.keys(COMPRESSIONS).join("|"),
    meaning: "how the image is compressed (default: none, which boots soonest)",
  },
  { name: "level", value: "N", meaning: "how hard to compress" },
  { name: "verbose", short: "v", meaning: "say why each file is in" },
];

/** Those that have no meaning in a configuration file. */
export const NOT_IN_CONFIG: readonly string[] = ["output", "config", "verbose"];
