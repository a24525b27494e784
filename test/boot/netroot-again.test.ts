/** A boot whose root on the network failed is tried again by itself: the server comes back, a lease comes late, a cable is plugged. And roots that depend on what else a network tells. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../../qemu/host.ts";
import type { Machine } from "../../qemu/machine.ts";
import { SERVER_NAME, serverAddress } from "../../qemu/network/config.ts";
import type { Server } from "../../qemu/network/server.ts";
import { expectSaid, said } from "../../qemu/scenario.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { CLIENT_MS, rootMount, serveRoot, startClient, toldBy } from "../fixtures/netroot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();
const { v4, v6 } = serverAddress();
const WAITING = "Waiting: when a device or more of the network appears, or else in 30 s";

let initrd: string;
let server: Server;

beforeAll(async () => {
  if (need !== undefined) return;
  const lans = [{ rootPath: `${v4}:/srv/root,vers=4.2` }, { dhcp4: false, ipv6: "slaac" }] as const;
  ({ initrd, server } = await serveRoot("netroot-again", dir, { drivers: ["virtio_blk"], lans }));
}, 400_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
}, 60_000);

/** A machine that stays on when its boot fails. */
function boot(name: string, append: string): Promise<Machine> {
  return startClient(`netroot-again-${name}`, {
    append: `${append} rd.shell=0`,
    initrd,
    cards: [server.card()],
    waits: true,
  });
}

async function expectRoot(machine: Machine): Promise<void> {
  expect(rootMount(await toldBy(machine))).toMatch(/^10\.77\.0\.1:\/srv\/root nfs4 /);
  expect(said(machine).filter((line) => line.includes("block device"))).toEqual([]);
}

test.skipIf(need !== undefined)(
  `the server comes back: it is tried again after a pause${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await server.command("ip link set eth0 down");
    const machine = await boot(
      "back",
      `root=nfs:${v4}:/srv/root ip=10.77.0.9:::255.255.255.0::eth0:none rd.timeout=6`,
    );
    await machine.console.expect(WAITING, CLIENT_MS);
    // Its address of IPv6 goes with the link.
    await server.command(`ip link set eth0 up && ip addr add ${v6}/64 dev eth0 nodad`);
    await expectRoot(machine);
    expectSaid(machine, [
      /^The root 10\.77\.0\.1:\/srv\/root was not mounted within 6 s, in .*: the server (?:can't be reached \(EHOSTUNREACH\)|does not answer)\. Is it up/,
      `The root is on the network (root=nfs:${v4}:/srv/root). Network interfaces:`,
      /^ {2}eth0 \S+ up 10\.77\.0\.9\/24/,
      "  no default route",
      "30 s are over: the boot is tried again.",
    ]);
  },
  CLIENT_MS,
);

test.skipIf(need !== undefined)(
  "a lease that comes late is an event; so is a cable",
  async () => {
    await server.command("busybox killall -STOP dnsmasq");
    const late = await boot("lease", "root=dhcp rd.net.timeout.dhcp=4");
    await late.console.expect(WAITING, CLIENT_MS);
    await server.command("busybox killall -CONT dnsmasq");
    await expectRoot(late);
    expectSaid(late, [/^eth0 has the address 10\.77\.0\.1\d\d\/24: the boot is tried again\.$/]);
    const cable = await boot(
      "cable",
      `root=nfs:${v4}:/srv/root ip=10.77.0.9:::255.255.255.0::eth0:none rd.net.timeout.carrier=3`,
    );
    await cable.qmp.monitor("set_link net0 off");
    await cable.console.expect(WAITING, CLIENT_MS);
    await cable.qmp.monitor("set_link net0 on");
    await expectRoot(cable);
    expectSaid(cable, ["eth0 has a carrier: the boot is tried again."]);
  },
  CLIENT_MS * 2,
);

test.skipIf(need !== undefined)(
  "root=dhcp: what the DHCP server names is no disk, and nothing is done to those of the machine",
  async () => {
    const file = join(dir, "luks.img");
    await Bun.write(file, new Uint8Array(32 << 20));
    const format = "cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file -".split(
      " ",
    );
    await run([...format, file], { stdin: "secret" });
    const machine = await startClient("netroot-again-disk", {
      append: "root=dhcp",
      initrd,
      cards: [server.card()],
      disks: [{ file }],
    });
    await expectRoot(machine);
    expect(said(machine).filter((line) => /luks/.test(line))).toEqual([]);
  },
  CLIENT_MS,
);

test.skipIf(need !== undefined)(
  "on a network of IPv6 alone: the router names the server that knows the NFS server's address",
  async () => {
    const machine = await startClient("netroot-again-ipv6", {
      append: `root=nfs:${SERVER_NAME}:/srv/root ip=auto6 rd.shell=0`,
      initrd,
      cards: [server.card({ hub: 1 })],
    });
    expect(rootMount(await toldBy(machine))).toMatch(/^server\.test:\/srv\/root nfs4 .*addr=fd77::1/);
  },
  CLIENT_MS,
);
