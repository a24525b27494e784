/** Roots on disks of the network, of a real NBD server and a real iSCSI target in another guest. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import type { Machine, MachineOptions } from "../../qemu/machine.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { macOf } from "../../qemu/network/cards.ts";
import { clientTree } from "../../qemu/network/client-tools.ts";
import { serverAddress } from "../../qemu/network/config.ts";
import { firmwareTable } from "../../qemu/network/ibft.ts";
import { type Server, startServer } from "../../qemu/network/server.ts";
import { ROOT_UUID, expectSaid } from "../../qemu/scenario.ts";
import { STORAGE, plainLuks } from "../../qemu/storage/basic.ts";
import { treeImage } from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { CLIENT_MS, rootMount, startClient, tellingRoot, toldBy } from "../fixtures/netroot.ts";
import { QUESTION } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();
const { v4 } = serverAddress();
const TARGET = "iqn.2024-01.test.server:root";
const SECRET = "iqn.2024-01.test.server:secret";
const CHAP = { user: "client", password: "twelve-letters" };

let initrd: string;
let server: Server;

beforeAll(async () => {
  if (need !== undefined) return;
  const kernel = await stockKernel();
  const file = join(dir, "root.img");
  await makeDisk({ file, type: "ext4", size_mb: 32, tree: await tellingRoot(), uuid: ROOT_UUID });
  initrd = await treeImage("netroot-disks", await clientTree(), [
    ...["--modules", kernel.modules, "--kernel", kernel.version],
    ...["--drivers", "virtio_pci virtio_net af_packet nbd iscsi_tcp iscsi_ibft sd_mod ext4 dm_crypt"],
    ...["--tools", "nbd-client iscsistart cryptsetup"],
  ]);
  const [vault = ""] = await makeDisksInGuest(plainLuks(await tellingRoot()));
  server = await startServer({
    name: "netroot-disks",
    lans: [{ rootPath: `nbd:${v4}:root::errors=panic` }],
    exports: [
      { kind: "nbd", name: "root", file },
      { kind: "nbd", name: "vault", file: vault },
      { kind: "iscsi", name: TARGET, file },
      { kind: "iscsi", name: SECRET, file, chap: CHAP },
    ],
    timeout_ms: 1_500_000,
  });
}, 600_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
}, 60_000);

function boot(name: string, append: string, options: Partial<MachineOptions> = {}): Promise<Machine> {
  return startClient(`netroot-disks-${name}`, { append, initrd, cards: [server.card()], ...options });
}

test.skipIf(need !== undefined)(
  `NBD, by the name of its export${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const machine = await boot("nbd", `root=nbd:${v4}:root:ext4:noatime rw ip=dhcp`);
    const lines = await toldBy(machine);
    expect(rootMount(lines)).toBe("/dev/nbd0 ext4 rw,noatime");
    expect(lines).toContain("wrote");
    expect(lines).toContain("link up");
    expect(lines.filter((line) => line.startsWith("process"))).toEqual([]);
    expectSaid(machine, [`attached nbd:${v4}:root as /dev/nbd0`]);
  },
  CLIENT_MS + 10_000,
);

test.skipIf(need !== undefined)(
  "NBD, by the DHCP server's root-path, with root=/dev/root for what it names",
  async () => {
    const machine = await boot("nbd-dhcp", "root=/dev/root netroot=dhcp ip=dhcp rd.luks=0 rd.auto ro");
    expect(rootMount(await toldBy(machine))).toBe("/dev/nbd0 ext4 ro,relatime,errors=panic");
    expectSaid(machine, [`attached nbd:${v4}:root as /dev/nbd0`]);
  },
  CLIENT_MS + 10_000,
);

test.skipIf(need !== undefined)(
  "an nbd-client that has to stay serves the real system",
  async () => {
    const lines = await toldBy(await boot("nbd-stays", `root=nbd:${v4}:root:::nonetlink rw ip=dhcp`));
    expect(lines).toContain("wrote");
    const processes = lines.filter((line) => line.startsWith("process"));
    expect(processes.length).toBeGreaterThan(0);
    for (const line of processes) expect(line).toMatch(/^process @\S*nbd-client /);
  },
  CLIENT_MS + 10_000,
);

test.skipIf(need !== undefined)(
  "iSCSI, the disk found by its UUID, and by its target with a login",
  async () => {
    const first = await boot(
      "iscsi",
      `root=UUID=${ROOT_UUID} netroot=iscsi:${v4}:::1:${TARGET} rd.iscsi.initiator=iqn.2024-01.test:client ip=dhcp`,
    );
    const lines = await toldBy(first);
    expect(rootMount(lines)).toBe("/dev/sda ext4 ro,relatime");
    expect(lines).toContain("link up");
    const second = await boot(
      "iscsi-chap",
      `root=iscsi:${CHAP.user}:${CHAP.password}@${v4}:::1:${SECRET} rw ip=dhcp`,
    );
    expect(rootMount(await toldBy(second))).toBe("/dev/sda ext4 rw,relatime");
  },
  CLIENT_MS * 2,
);

test.skipIf(need !== undefined)(
  "an encrypted disk of an NBD server is asked for and opened",
  async () => {
    const machine = await boot("luks", `root=nbd:${v4}:vault rw ip=dhcp`);
    await machine.console.expect(QUESTION, CLIENT_MS);
    machine.console.send(`${STORAGE.passphrase}\n`);
    const lines = await toldBy(machine);
    expect(rootMount(lines)).toMatch(/^\/dev\/mapper\/luks-\S+ ext4 rw/);
    expect(lines).toContain("link up");
  },
  CLIENT_MS + 10_000,
);

test.skipIf(need !== undefined)(
  "what does not work is told: a target that is not there, a server that is not",
  async () => {
    const target = await boot("no-target", `root=iscsi:${v4}:::1:iqn.2024-01.test:other rd.shell=0 ip=dhcp`);
    await target.expectEnd("rebooted");
    expectSaid(target, [
      /^The disk iscsi:10\.77\.0\.1:::1:iqn\.2024-01\.test:other can't be attached: iscsistart says: encountered non-/,
    ]);
    const nobody = await boot("nobody", "root=nbd:10.77.0.200:root rd.timeout=10 rd.shell=0");
    await nobody.expectEnd("rebooted");
    expectSaid(nobody, [
      /^waiting for the server 10\.77\.0\.200, which does not answer \(nbd-client: Socket failed: No route to host\) so far/,
      /^The disk nbd:10\.77\.0\.200:root was not attached within \d+ s, in \w+ tr(?:y|ies): the server 10\.77\.0\.200 does not answer \(nbd-client: /,
    ]);
  },
  CLIENT_MS * 2,
);

test.skipIf(need !== undefined)(
  "what the firmware has booted from, over the network that it has configured",
  async () => {
    const table = join(dir, "ibft");
    const target = { name: TARGET, address: v4, port: 3260, lun: 1 };
    await Bun.write(
      table,
      firmwareTable({
        ...{ mac: macOf(0), address: "10.77.0.9", prefix: 24, gateway: v4, nameserver: v4 },
        ...{ hostName: "box", vlan: 0, target },
      }),
    );
    const machine = await boot("firmware", `root=UUID=${ROOT_UUID} rd.iscsi.firmware rw`, {
      arguments: ["-acpitable", `sig=iBFT,rev=1,data=${table}`],
    });
    const lines = await toldBy(machine);
    expect(rootMount(lines)).toStartWith("/dev/sda ext4 rw");
    expect(lines).toContain("address 10.77.0.9/24 brd 10.77.0.255 scope global eth0");
    expectSaid(machine, [`attached iscsi:${v4}:::1:${TARGET} as /dev/sda`]);
  },
  CLIENT_MS,
);
