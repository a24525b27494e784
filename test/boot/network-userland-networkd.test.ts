/** systemd-networkd behind rdinit: it takes a root's network over without a break, and finds none otherwise. */

import { expect, test } from "bun:test";
import { EVENTS } from "../../qemu/network/userlands.ts";
import { parseEvents, startTakeover } from "../../qemu/network/takeover.ts";
import { USERLAND_TEST_MS, command, logIn, powerOff } from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";

const need = await userlandsNeed();
const because = need === undefined ? "" : ` (${need})`;

for (const [root, type] of [
  ["NFS", /^nfs4$/],
  ["NBD", /^ext4$/],
] as const)
  test.skipIf(need !== undefined)(
    `a root on ${root}: one address from the first to the last moment${because}`,
    async () => {
      const name = `network-userland-networkd-${root.toLowerCase()}`;
      await using both = await startTakeover(name, { userland: "networkd", root });
      const { machine, server, dhcp } = both;
      await logIn(machine, "systemd");
      expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
      expect(await command(machine, "findmnt -nro FSTYPE /")).toMatch(type);
      const link = await command(machine, "networkctl --no-legend --no-pager list eth0");
      expect(link).toMatch(/routable +configured$/);

      const address = dhcp.find(({ type: kind }) => kind === "ack")?.address ?? "";
      expect(address).toMatch(/^10\.77\.0\.1\d\d$/);
      expect(await command(machine, "ip -4 -o addr show dev eth0 | cut -d' ' -f7")).toBe(`${address}/24`);
      const { found, later } = parseEvents(await command(machine, `cat ${EVENTS}`));
      expect(found).toContain(`${address}/24`);
      expect(later).not.toMatch(/Deleted.*inet |state DOWN|NO-CARRIER/);
      // Its own lease is for the same address.
      const acks = dhcp.filter(({ type: kind }) => kind === "ack");
      expect(acks.length).toBeGreaterThan(1);
      expect(new Set(acks.map((message) => message.address))).toEqual(new Set([address]));

      const { text, took_ms } = await powerOff(machine, "systemctl poweroff");
      expect(text).not.toMatch(/\[FAILED\]|\[ TIME \]/);
      expect(machine.console.text).not.toMatch(/not responding|I\/O error/);
      expect(took_ms).toBeLessThan(150_000);
      expect(both.addresses).toEqual(new Set([address]));
      expect(dhcp.map(({ type: kind }) => kind)).not.toContain("release");
      expect(server.text).not.toContain("DHCPNAK");
    },
    USERLAND_TEST_MS,
  );

test.skipIf(need !== undefined)(
  `a root on a disk: the lease of the early userspace is given back, and networkd gets its own${because}`,
  async () => {
    await using both = await startTakeover("network-userland-networkd-disk", {
      userland: "networkd",
      root: "disk",
    });
    const { machine, dhcp } = both;
    await logIn(machine, "systemd");
    expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
    const { found } = parseEvents(await command(machine, `cat ${EVENTS}`));
    expect(found).toMatch(/eth0: <BROADCAST,MULTICAST> .* state DOWN/);
    expect(found).not.toMatch(/eth0 +inet/);

    const sent = dhcp.map(({ type }) => type).filter((type) => type !== "offer");
    const [first, second] = [sent.slice(0, 4), sent.slice(4, 7)];
    expect(first).toEqual(["discover", "request", "ack", "release"]);
    expect(second).toEqual(["discover", "request", "ack"]);
    const own = dhcp.at(-1)?.address ?? "";
    expect(await command(machine, "ip -4 -o addr show dev eth0 | cut -d' ' -f7")).toBe(`${own}/24`);
    const { text } = await powerOff(machine, "systemctl poweroff");
    expect(text).not.toMatch(/\[FAILED\]|\[ TIME \]/);
  },
  USERLAND_TEST_MS,
);
