/** What an image needs for the network besides the drivers of interfaces: DHCP, and what addresses are made of. */

import { text } from "../lib/bytes.ts";
import { readApplets } from "./applets.ts";
import { findBusyboxes } from "./busybox.ts";
import type { FileTree } from "./file-tree.ts";
import { examineInterfaces } from "./host/interfaces.ts";
import type { Part } from "./part.ts";
import type { ImageSettings } from "./settings.ts";

/** The parts for the network, and sentences for `--verbose`. `reason` tells who wants it where nobody asked for it. */
export function networkParts(
  root: FileTree,
  selection: ImageSettings["selection"],
  reason?: string,
): { readonly parts: readonly Part[]; readonly decisions: readonly string[] } {
  const { part, decisions } =
    selection === "host" ? examineInterfaces(root) : { part: undefined, decisions: [] };
  const notes = reason === undefined ? [] : [`what --network brings goes in, for ${reason}.`];
  const protocols: Part = { why: "--network", modulesIfThere: PROTOCOLS, notes };
  return { parts: [...(part ? [part] : []), protocols, dhcpPart(root)], decisions };
}

/** udhcpc listens on a packet socket; IPv6 is a module in some kernels. */
const PROTOCOLS: readonly string[] = ["af_packet", "ipv6"];

const UDHCPC = "udhcpc";
const BUSYBOX = "/bin/busybox";

// udhcpc is an applet of busybox, which not every busybox has.
function dhcpPart(root: FileTree): Part {
  const there = findBusyboxes(root);
  const able = there.find((path) => readApplets(root.read(path) ?? new Uint8Array(0)).includes(UDHCPC));
  if (able !== undefined) {
    // The second is where its script looks for a shell, in an image that has no other.
    const links = [`/sbin/${UDHCPC}`, BUSYBOX].filter((path) => path !== able);
    return { why: "DHCP", programs: [able], links: links.map((path) => ({ path, target: able })) };
  }
  const [first] = there;
  const fault =
    first === undefined ? "no busybox is installed" : `${text(root.outside(first))} has no applet ${UDHCPC}`;
  const note = `The image can't ask for addresses by DHCP, as ${fault}: install one that has it (Debian's busybox-static), or give addresses by ip=.`;
  return { why: "DHCP", notes: [note] };
}
