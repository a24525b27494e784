/** ip=ibft takes what the firmware's table says, by the kernel's own driver; without a table it asks DHCP. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { stockKernel } from "../../qemu/kernel.ts";
import type { MachineOptions } from "../../qemu/machine.ts";
import { macOf } from "../../qemu/network/cards.ts";
import { firmwareTable } from "../../qemu/network/ibft.ts";
import { MACHINE_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { LOOK_AT_NETWORK, network4 } from "../fixtures/network-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const user = { link: { kind: "user" } } as const;
/** The distribution's kernel alone has the driver. */
const LONG_MS = 2 * MACHINE_MS;
let common: Partial<MachineOptions> & Parameters<typeof bootRdinit>[1];

beforeAll(async () => {
  common = {
    append: "root=/dev/vda ip=ibft rd.neednet=1",
    disks: [{ file: await probeDisk(dir) }],
    cards: [user, user],
    image: {
      kernel: await stockKernel(),
      drivers: ["virtio_pci", "virtio_blk", "ext4", "virtio_net", "iscsi_ibft"],
      shell: true,
      files: [LOOK_AT_NETWORK],
    },
    timeout_ms: LONG_MS,
  };
});

test(
  "a fixed address on the second card",
  async () => {
    const table = join(dir, "ibft");
    const nic = {
      mac: macOf(1),
      address: "10.0.2.77",
      prefix: 24,
      gateway: "10.0.2.2",
      nameserver: "10.0.2.3",
    };
    await Bun.write(table, firmwareTable({ ...nic, hostName: "box", vlan: 0 }));
    const machine = await bootRdinit("network-ibft", {
      ...common,
      arguments: ["-acpitable", `sig=iBFT,rev=1,data=${table}`],
    });
    await probed(machine);
    expect(network4(machine)).toEqual([
      "address eth1 10.0.2.77/24",
      "route default via 10.0.2.2 dev eth1",
      "route 10.0.2.0/24 dev eth1 scope link  src 10.0.2.77",
      "resolv.conf nameserver 10.0.2.3",
      "host box",
    ]);
  },
  LONG_MS + MACHINE_MS,
);

test(
  "no table",
  async () => {
    const machine = await bootRdinit("network-ibft-none", common);
    await probed(machine);
    expectSaid(machine, [
      /^ip=ibft: the firmware tells of no interface that can be used .*DHCP is asked instead\.$/,
      /^eth\d has 10\.0\.2\.15\/24 by DHCP/,
    ]);
  },
  LONG_MS + MACHINE_MS,
);
