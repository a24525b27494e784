/** Bonds, bridges and VLANs, one over the other, on the distribution's kernel, which has them as modules. */

import { expect, test } from "bun:test";
import { stockKernel } from "../../qemu/kernel.ts";
import { startServer } from "../../qemu/network/server.ts";
import { MACHINE_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { LOOK_AT_NETWORK, network4 } from "../fixtures/network-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();

test.skipIf(need !== undefined)(
  `DHCP on a bridge of a VLAN over a bond of two cards${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const disk = { file: await probeDisk(dir) };
    await using server = await startServer({
      name: "network-links",
      lans: [{ dhcp4: false }, { vlan: 5, lease_s: 600, options: ["option:mtu,1400"] }],
    });
    const machine = await bootRdinit("network-links", {
      append:
        "root=/dev/vda bond=bond0:eth0,eth1:mode=active-backup,primary=eth1 vlan=bond0.5:bond0 bridge=br0:bond0.5 " +
        "ip=br0:dhcp rd.neednet=1 cryptomgr.notests debug",
      disks: [disk],
      cards: [server.card(), server.card()],
      image: {
        kernel: await stockKernel(),
        drivers: ["virtio_pci", "virtio_blk", "ext4", "virtio_net", "bonding", "8021q", "bridge"],
        shell: true,
        files: [LOOK_AT_NETWORK],
      },
      timeout_ms: 2 * MACHINE_MS,
    });
    const listing = await probed(machine);
    expect(network4(machine)).toEqual([
      expect.stringMatching(/^address br0 10\.77\.1\.\d+\/24$/),
      "route default via 10.77.1.1 dev br0",
      expect.stringMatching(/^route 10\.77\.1\.0\/24 dev br0 scope link  src 10\.77\.1\.\d+$/),
      "bond active-backup 1 eth1 100",
      "mtu br0 1400",
      "resolv.conf search test",
      "resolv.conf nameserver 10.77.1.1",
      "host (none)",
    ]);
    expectSaid(machine, [
      "made bond0: bond of eth0, eth1",
      "made bond0.5: VLAN 5 over bond0",
      "made br0: bridge of bond0.5",
      /^took the network down: /,
    ]);
    await server.expect("DHCPRELEASE(eth0.5) 10.77.1.", 10_000);
    // Nothing of it is left.
    const links = [...listing.keys()].filter((key) => /^net\..*\.flags$/.test(key));
    expect(links.toSorted()).toEqual(["net.eth0.flags", "net.eth1.flags", "net.lo.flags"]);
  },
  MACHINE_MS * 5,
);
