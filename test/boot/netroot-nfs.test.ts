/** Roots on an NFS server, a real one in another guest: by version 4 and 3, and what is said when it does not work. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Machine } from "../../qemu/machine.ts";
import { SERVER_NAME, serverAddress } from "../../qemu/network/config.ts";
import type { Server } from "../../qemu/network/server.ts";
import { expectSaid } from "../../qemu/scenario.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { CLIENT_MS, rootMount, serveRoot, startClient, toldBy } from "../fixtures/netroot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();
const { v4 } = serverAddress();
const STATIC = `ip=10.77.0.9::${v4}:255.255.255.0::eth0:none nameserver=${v4}`;

let initrd: string;
let server: Server;

beforeAll(async () => {
  if (need !== undefined) return;
  const lans = [{ rootPath: `${v4}:/srv/root,vers=4.1` }] as const;
  ({ initrd, server } = await serveRoot("netroot-nfs", dir, { drivers: ["nfsv3", "overlay"], lans }));
}, 400_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
}, 60_000);

function boot(name: string, append: string): Promise<Machine> {
  return startClient(`netroot-nfs-${name}`, { append, initrd, cards: [server.card()] });
}

test.skipIf(need !== undefined)(
  `version 4, and 3 when asked for${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const four = await boot("4", `root=nfs:${v4}:/srv/root rw`);
    const lines = await toldBy(four);
    expect(rootMount(lines)).toMatch(/^10\.77\.0\.1:\/srv\/root nfs4 rw,.*vers=4\.2,.*addr=10\.77\.0\.1/);
    expect(lines).toContain("wrote");
    // The address of the lease, and no other.
    expect(lines.filter((line) => line.startsWith("address"))).toEqual([
      expect.stringMatching(/^address 10\.77\.0\.1\d\d\/24 /),
    ]);
    expect(lines).toContain("link up");
    expect(lines.filter((line) => line.startsWith("process"))).toEqual([]);
    expectSaid(four, [`mounted ${v4}:/srv/root (NFS 4.2) as the root, read-write`]);
    const three = await boot("3", `root=${SERVER_NAME}:/srv/root,vers=3,rsize=65536 ${STATIC}`);
    const read = await toldBy(three);
    expect(rootMount(read)).toMatch(/^server\.test:\/srv\/root nfs ro,.*vers=3,rsize=65536,.*nolock/);
    expect(read).toContain("can't write");
    expect(read).toContain("address 10.77.0.9/24 brd 10.77.0.255 scope global eth0");
  },
  CLIENT_MS * 2,
);

test.skipIf(need !== undefined)(
  "the DHCP server names the root; by the kernel's name, under an overlay",
  async () => {
    const machine = await boot("dhcp", "root=dhcp rw");
    expect(rootMount(await toldBy(machine))).toMatch(/^10\.77\.0\.1:\/srv\/root nfs4 rw,.*vers=4\.1,/);
    const covered = await boot("nfsroot", `root=/dev/nfs nfsroot=,vers=3 rd.overlay ip=dhcp`);
    const lines = await toldBy(covered);
    expect(rootMount(lines)).toMatch(/^LiveOS_rootfs overlay/);
    expect(lines).toContain("wrote");
    expect(lines).toContain("link up");
  },
  CLIENT_MS * 2,
);

test.skipIf(need !== undefined)(
  "what does not work is told: no such directory, no such server, nobody who serves",
  async () => {
    const absent = await boot("absent", `root=nfs:${v4}:/srv/other ${STATIC} rd.shell=0`);
    await absent.expectEnd("rebooted");
    expectSaid(absent, [
      `The root ${v4}:/srv/other can't be mounted by NFS 4.2, 3: the server has no such directory (ENOENT). ` +
        "Look at the path in root=, and at the server's exports.",
    ]);
    const nobody = await boot("nobody", `root=nfs:10.77.0.200:/srv/root ${STATIC} rd.timeout=12 rd.shell=0`);
    await nobody.expectEnd("rebooted");
    expectSaid(nobody, [
      /^waiting for the NFS server 10\.77\.0\.200.*\(giving up in \d+ s\)$/,
      /^The root 10\.77\.0\.200:\/srv\/root was not mounted within 12 s, in \d+ tries: the server can't be reached \(EHOSTUNREACH\)\. Is it up/,
    ]);
  },
  CLIENT_MS * 2,
);
