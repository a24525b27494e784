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
  `an address of IPv6 from a server, given back at the end; both families${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const disk = { file: await probeDisk(dir) };
    await using server = await startServer({
      name: "network-dhcp6",
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
      "host client",
    ]);
    expectSaid(machine, [/^eth0 has fd77:[0-9a-f:]+\/128 by DHCPv6, for \d+ s$/]);
    await server.expect("DHCPREPLY(eth0)", 10_000);
    await server.expect(/DHCPRELEASE\(eth0\) (?:fd77:|00:)/, 10_000);
  },
  MACHINE_MS * 5,
);
