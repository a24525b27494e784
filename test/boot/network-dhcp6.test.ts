/** DHCPv6, from a real server in another guest. */

import { expect, test } from "bun:test";
import { macOf } from "../../qemu/network/cards.ts";
import { startServer } from "../../qemu/network/server.ts";
import { MACHINE_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { LOOK_AT_NETWORK, network } from "../fixtures/network-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();

test.skipIf(need !== undefined)(
  `an address of IPv6 from a server, given back at the end; addresses that the server has itself${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const disk = { file: await probeDisk(dir) };
    await using server = await startServer({
      name: "network-dhcp6",
      // A neighbour that says that it is no router (RFC 4861, section 7.2.5) loses its default route.
      setup: ["echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"],
      lans: [{ ipv6: "dhcp", known: [{ mac: macOf(0), host: 42, name: "client" }] }],
    });
    const machine = await bootRdinit("network-dhcp6", {
      append: "root=/dev/vda ip=eth0:dhcp,dhcp6 rd.neednet=1 debug",
      disks: [disk],
      cards: [server.card()],
      image: { shell: true, files: [LOOK_AT_NETWORK] },
    });
    await probed(machine);
    expect(network(machine)).toEqual([
      "address eth0 10.77.0.42/24",
      expect.stringMatching(/^address eth0 fd77:[0-9a-f:]+\/128$/),
      "route default via 10.77.0.1 dev eth0",
      "route 10.77.0.0/24 dev eth0 scope link  src 10.77.0.42",
      expect.stringMatching(/^route6 default via fe80::/),
      "resolv.conf search test",
      "resolv.conf nameserver 10.77.0.1",
      "resolv.conf nameserver fd77::1",
      // The router's advertisement names it too, by its address on the link.
      "resolv.conf nameserver fe80::5054:ff:fe77:1%eth0",
      "host client",
    ]);
    expectSaid(machine, [/^eth0 has fd77:[0-9a-f:]+\/128 by DHCPv6, for \d+ s$/]);
    await server.expect("DHCPREPLY(eth0)", 10_000);
    await server.expect(/DHCPRELEASE\(eth0\) (?:fd77:|00:)/, 10_000);

    const conflict = await bootRdinit("network-conflict", {
      append: "root=/dev/vda ip=10.77.0.1:::24::eth0:none ip=[fd77::1]:::64::eth0:none rd.neednet=1",
      hotplug: ["virtio-blk"],
      cards: [server.card()],
      image: { shell: true },
    });
    // In whatever order.
    const both = /10\.77\.0\.1 as well[^]*address fd77::1\.|address fd77::1\.[^]*10\.77\.0\.1 as well/;
    await conflict.console.expect(both, MACHINE_MS);
    await conflict.plugDisk(disk);
    await probed(conflict);
    expectSaid(conflict, [
      "Another machine on eth0 has the address fd77::1. Give this one another.",
      /^The machine 52:54:00:77:00:01 on eth0 has the address 10\.77\.0\.1 as well: /,
    ]);
  },
  MACHINE_MS * 5,
);
