/** A Debian that rdinit boots over a network of tests, and what is to be seen when it takes that network over. */

import { stockKernel } from "../kernel.ts";
import { type Machine, startMachine } from "../machine.ts";
import { USERLAND } from "../userlands/etc.ts";
import { MACHINE_MS, treeImage } from "../userlands/session.ts";
import { macOf } from "./cards.ts";
import { type DhcpMessage, dhcpMessageOf, senderOf } from "./frames.ts";
import { type Server, startServer } from "./server.ts";
import { EVENTS, type NetworkUserland, STARTED, networkUserland } from "./userlands.ts";

/** Two guests, one on the other's network; `await using` ends both. */
export interface Takeover extends AsyncDisposable {
  readonly machine: Machine;
  readonly server: Server;
  /** What the machine's card and the server have said by DHCPv4 so far. */
  readonly dhcp: readonly DhcpMessage[];
  /** The IPv4 addresses that the machine's card has sent from so far. */
  readonly addresses: ReadonlySet<string>;
}

/** What it is: its root on the server, or on a disk of its own. */
export interface TakeoverOptions {
  readonly userland: NetworkUserland;
  readonly root: RootPlace;
}

/** On the server, as a directory or as a disk, or on a disk of the machine. */
export type RootPlace = "NFS" | "NBD" | "disk";

interface Place {
  readonly words: string;
  readonly exported?: "nfs" | "nbd";
  readonly drivers: string;
  readonly tools?: string;
}

const PLACES: Readonly<Record<RootPlace, Place>> = {
  NFS: { words: "root=nfs:10.77.0.1:/srv/root", exported: "nfs", drivers: "nfsv4" },
  NBD: {
    words: `root=UUID=${USERLAND.filesystem} netroot=nbd:10.77.0.1:root`,
    exported: "nbd",
    drivers: "nbd ext4",
    tools: "nbd-client",
  },
  // A root on a disk is there before a lease is, and would not wait for one.
  disk: { words: "root=/dev/vda rd.neednet=1", drivers: "virtio_blk ext4" },
};

/** Starts the server, then the system. The image is made as a user makes one. */
export async function startTakeover(name: string, options: TakeoverOptions): Promise<Takeover> {
  const { tree, disk } = await networkUserland(options.userland);
  const kernel = await stockKernel();
  const place = PLACES[options.root];
  const initrd = await imageOf(name, tree, place);
  const server = await startServer({
    name,
    // So short that it is renewed while the system runs, or runs out.
    lans: [{ lease_s: 120 }],
    exports: place.exported === undefined ? [] : [{ kind: place.exported, name: "root", file: disk }],
    timeout_ms: 2 * MACHINE_MS,
  });
  const dhcp: DhcpMessage[] = [];
  const addresses = new Set<string>();
  server.hubs[0]?.watch((frame) => {
    const message = dhcpMessageOf(frame);
    if (message?.mac === macOf(0)) dhcp.push(message);
    const sender = senderOf(frame);
    if (sender?.mac === macOf(0) && sender.address !== "0.0.0.0") addresses.add(sender.address);
  });
  const machine = await startMachine({
    name,
    kernel: kernel.vmlinuz,
    initrd,
    append: `${place.words} rw ip=dhcp net.ifnames=0`,
    disks: place.exported === undefined ? [{ file: disk }] : [],
    cards: [server.card()],
    memory_mb: 768,
    timeout_ms: MACHINE_MS,
  });
  return {
    machine,
    server,
    dhcp,
    addresses,
    async [Symbol.asyncDispose]() {
      await machine.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** What the real system found at its first moment, and what became of it, of EVENTS's text. */
export function parseEvents(text: string): { readonly found: string; readonly later: string } {
  const at = text.indexOf(`${STARTED}\n`);
  if (at < 0) throw new Error(`${EVENTS} has no line '${STARTED}' in it: ${text}`);
  return { found: text.slice(0, at), later: text.slice(at + STARTED.length + 1) };
}

async function imageOf(name: string, tree: string, { drivers, tools }: Place): Promise<string> {
  const { version, modules } = await stockKernel();
  const words = ["--modules", modules, "--kernel", version, "--network"];
  words.push("--drivers", `virtio_pci virtio_net ${drivers}`);
  if (tools !== undefined) words.push("--tools", tools);
  return treeImage(name, tree, words);
}
