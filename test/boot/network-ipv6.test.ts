/** IPv6 by a router's advertisements, from another guest. */

import { expect, test } from "bun:test";
import { macOf } from "../../qemu/network/cards.ts";
import { serverAddress } from "../../qemu/network/config.ts";
import { startServer } from "../../qemu/network/server.ts";
import { MACHINE_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { LOOK_AT_NETWORK, network } from "../fixtures/network-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();

test.skipIf(need !== undefined)(
  `two networks, one by router advertisements alone, one by a lease of IPv4${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await using server = await startServer({
      name: "network-ipv6",
      lans: [{ dhcp4: false, ipv6: "slaac" }, { known: [{ mac: macOf(1), host: 42 }] }],
    });
    const machine = await bootRdinit("network-ipv6", {
      append: "root=/dev/vda ip=eth0:auto6 ip=eth1:dhcp rd.neednet=1 debug",
      disks: [{ file: await probeDisk(dir) }],
      cards: [server.card(), server.card({ hub: 1 })],
      image: { shell: true, files: [LOOK_AT_NETWORK] },
      timeout_ms: 2 * MACHINE_MS,
    });
    const listing = await probed(machine);
    const seen = network(machine);
    // The advertisement that brings the address names the router as a server; DHCPv6 tells of it again, later.
    const servers = seen.filter((line) => line.startsWith("resolv.conf nameserver "));
    expect(servers.filter((line) => !line.endsWith(serverAddress().v6))).toEqual([
      "resolv.conf nameserver 10.77.1.1",
      "resolv.conf nameserver fe80::5054:ff:fe77:1%eth0",
    ]);
    expect(seen.filter((line) => !servers.includes(line))).toEqual([
      "address eth0 fd77::5054:ff:fe12:3456/64",
      "address eth1 10.77.1.42/24",
      "route default via 10.77.1.1 dev eth1  metric 1001",
      "route 10.77.1.0/24 dev eth1 scope link  src 10.77.1.42",
      "route6 default via fe80::5054:ff:fe77:1",
      "resolv.conf search test",
      "host (none)",
    ]);
    expectSaid(machine, [/^took the network down: /]);
    expect(listing.get("processes.others")).toBe("0");
    // Nothing is left of either.
    for (const name of ["eth0", "eth1"]) expect(listing.get(`net.${name}.flags`)).not.toContain("up");
  },
  MACHINE_MS * 5,
);
