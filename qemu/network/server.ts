/** A guest that serves addresses, names, files and disks to another: Debian's dnsmasq, NFS, nbd-server and tgt. */

import { join } from "node:path";
import { imagesDir, staticBusybox } from "../images.ts";
import { type Kernel, stockKernel } from "../kernel.ts";
import { type Machine, startMachine } from "../machine.ts";
import { moduleTree } from "../modules.ts";
import { type Tree, packInitramfs } from "../tree.ts";
import type { Card } from "./cards.ts";
import {
  NFS_CONF,
  PRINTED,
  type ServerSetup,
  dnsmasqConf,
  exportsFile,
  nbdConf,
  startScript,
} from "./config.ts";
import { type Hub, makeHub } from "./hub.ts";
import { serverTree } from "./tree.ts";

export interface ServerOptions extends ServerSetup {
  /** Names the logs, build/logs/NAME-server.log and NAME-N.pcap. */
  readonly name: string;
  /** As MachineOptions has it; five minutes when left out. */
  readonly timeout_ms?: number;
}

/** How long a server may take to come up on a busy machine, its tree made already. */
const READY_MS = 150_000;
const COMMAND_MS = 30_000;

export class Server {
  readonly machine: Machine;
  /** One for each network that is no VLAN. */
  readonly hubs: readonly Hub[];

  /** Made by startServer(). */
  constructor(machine: Machine, hubs: readonly Hub[]) {
    this.machine = machine;
    this.hubs = hubs;
  }

  /** All that the server and its daemons have said so far. */
  get text(): string {
    return this.machine.console.text;
  }

  /** A card for a client on the hub of this number. */
  card(options: Omit<Card, "link"> & { readonly hub?: number } = {}): Card {
    const { hub = 0, ...card } = options;
    const found = this.hubs[hub];
    if (found === undefined) throw new Error(`The server has no hub ${hub}.`);
    return found.card(card);
  }

  /** Where `what` stands in the server's words, said already or within `timeout_ms`. Throws Error with the end of its log. */
  async expect(what: string | RegExp, timeout_ms: number): Promise<RegExpExecArray> {
    const pattern = typeof what === "string" ? new RegExp(what.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : what;
    const before = pattern.exec(this.text);
    return before ?? this.machine.console.expect(what, timeout_ms);
  }

  /** Runs a line of shell on the server, without single quotes; what it printed. */
  async command(line: string): Promise<string> {
    const { console } = this.machine;
    const start = console.text.length;
    console.send(`${line}\n`);
    await console.expect(/^SERVER DONE$/m, COMMAND_MS);
    // The daemons' words may stand between.
    return console.text
      .slice(start)
      .split("\n")
      .flatMap((text) => (text.startsWith(PRINTED) ? [text.slice(PRINTED.length)] : []))
      .join("\n");
  }

  /** `await using server = await startServer(...)` ends it with its scope. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine.stop();
    for (const hub of this.hubs) await hub[Symbol.asyncDispose]();
  }
}

/** Starts a server and waits until it serves. What clients write to its disks is thrown away with it. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const kernel = await stockKernel();
  const cards = (options.lans ?? [{}]).filter(({ vlan }) => vlan === undefined).length;
  const hubs = Array.from({ length: cards }, (_, at) => makeHub(`${options.name}-${at}`));
  const name = `${options.name}-server`;
  const machine = await startMachine({
    name,
    kernel: kernel.vmlinuz,
    initrd: await serverImage(name, kernel, options),
    append: "quiet panic=-1 cryptomgr.notests",
    disks: [
      { file: await serverTree(), readonly: true },
      ...(options.exports ?? []).map(({ file }) => ({ file })),
    ],
    // A client has its own addresses of cards by default.
    cards: hubs.map((hub, at) => hub.card({ mac: `52:54:00:77:00:0${at + 1}` })),
    timeout_ms: options.timeout_ms ?? 300_000,
  });
  const server = new Server(machine, hubs);
  try {
    await machine.console.expect(/^SERVER READY$/m, READY_MS);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

const DRIVERS = ["virtio_pci", "virtio_blk", "squashfs", "overlay"];

/** No rdinit: what is tested is the client's. */
async function serverImage(name: string, kernel: Kernel, setup: ServerSetup): Promise<string> {
  const { tree, order } = await moduleTree(kernel, DRIVERS);
  const init = [
    "#!/bin/busybox sh",
    "export PATH=/bin",
    "busybox mount -t devtmpfs dev /dev",
    ...order.map((path) => `busybox insmod ${path}`),
    "busybox mount -t squashfs -o ro /dev/vda /tree",
    "busybox mount -t tmpfs tmpfs /changes",
    "busybox mkdir /changes/upper /changes/work",
    "busybox mount -t overlay -o lowerdir=/tree,upperdir=/changes/upper,workdir=/changes/work overlay /root",
    "busybox cp -a /config /root/config",
    "busybox mount --move /dev /root/dev",
    "for type in proc sysfs; do busybox mount -t $type $type /root/${type%fs}; done",
    "busybox mount -t tmpfs tmpfs /root/run",
    "exec busybox switch_root -c /dev/console /root /bin/sh /config/start",
  ];
  const texts: Readonly<Record<string, string>> = {
    start: startScript(setup),
    "dnsmasq.conf": dnsmasqConf(setup),
    exports: exportsFile(setup.exports ?? []),
    "nfs.conf": NFS_CONF,
    "nbd.conf": nbdConf(setup.exports ?? []),
  };
  const files: Tree = [
    { path: "/init", kind: "text", text: `${init.join("\n")}\n`, mode: 0o755 },
    { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
    ...["dev", "root", "tree", "changes"].map((path) => ({ path: `/${path}`, kind: "dir" }) as const),
    ...Object.entries(texts).map(
      ([path, text]) => ({ path: `/config/${path}`, kind: "text", text }) as const,
    ),
    ...tree,
  ];
  const file = join(imagesDir(), `${name}.cpio`);
  await packInitramfs(files, file);
  return file;
}
