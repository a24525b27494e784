/** Debian with systemd on a root that an NFS server has: to the login, with the network as rdinit left it, and off. */

import { expect, test } from "bun:test";
import { stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { serverAddress } from "../../qemu/network/config.ts";
import { startServer } from "../../qemu/network/server.ts";
import { networkUserland } from "../../qemu/network/userlands.ts";
import {
  MACHINE_MS,
  USERLAND_TEST_MS,
  command,
  logIn,
  powerOff,
  treeImage,
} from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";

const need = await userlandsNeed();
const { v4 } = serverAddress();

test.skipIf(need !== undefined)(
  `the login comes, and the lease is one${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const { tree, disk } = await networkUserland("networkd");
    const { vmlinuz, version, modules } = await stockKernel();
    const initrd = await treeImage("netroot-debian", tree, [
      ...["--modules", modules, "--kernel", version],
      ...["--drivers", "virtio_pci virtio_net af_packet nfs nfsv4"],
    ]);
    await using server = await startServer({
      name: "netroot-debian",
      exports: [{ kind: "nfs", name: "root", file: disk }],
      timeout_ms: MACHINE_MS + 120_000,
    });
    await using machine = await startMachine({
      name: "netroot-debian",
      kernel: vmlinuz,
      initrd,
      append: `root=nfs:${v4}:/srv/root rw cryptomgr.notests`,
      cards: [server.card()],
      memory_mb: 768,
      timeout_ms: MACHINE_MS,
    });
    await logIn(machine, "systemd");
    expect(await command(machine, "findmnt -nro SOURCE,FSTYPE,OPTIONS / | cut -c1-40")).toMatch(
      /^10\.77\.0\.1:\/srv\/root nfs4 rw,/,
    );
    expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
    expect(await command(machine, "systemctl --failed --no-legend --no-pager")).toBe("");
    const addresses = await command(machine, "ip -4 -br addr show eth0 | wc -w");
    expect(addresses).toBe("3");
    expect(await command(machine, "dmesg --level=emerg,alert,crit,err,warn | grep rdinit:")).toBe("");
    const { text } = await powerOff(machine, "systemctl poweroff");
    expect(text).not.toMatch(/\[ TIME \]|not responding/);
  },
  USERLAND_TEST_MS,
);
