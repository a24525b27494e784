/** ifupdown with ISC's dhclient behind rdinit, under systemd and under sysvinit: a root's network is taken over without a break. */

import { expect, test } from "bun:test";
import { parseEvents, startTakeover } from "../../qemu/network/takeover.ts";
import { EVENTS } from "../../qemu/network/userlands.ts";
import { USERLAND_TEST_MS, command, logIn, powerOff } from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";

const need = await userlandsNeed();

for (const userland of ["ifupdown", "ifupdown-sysvinit"] as const)
  test.skipIf(need !== undefined)(
    `${userland} with a root on NFS: one address from the first to the last moment${need === undefined ? "" : ` (${need})`}`,
    async () => {
      const name = `network-userland-${userland}`;
      await using both = await startTakeover(name, { userland, root: "NFS" });
      const { machine, dhcp } = both;
      await logIn(machine, "systemd");
      if (userland === "ifupdown")
        expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
      expect(await command(machine, "ifquery --state eth0")).toBe("eth0=eth0");
      expect(await command(machine, "pgrep -c dhclient")).toBe("1");

      const acks = dhcp.filter(({ type }) => type === "ack");
      const address = acks[0]?.address ?? "";
      expect(await command(machine, "ip -4 -o addr show dev eth0 | cut -d' ' -f7")).toBe(`${address}/24`);
      expect(acks.length).toBeGreaterThan(1);
      expect(new Set(acks.map((message) => message.address))).toEqual(new Set([address]));
      const { found, later } = parseEvents(await command(machine, `cat ${EVENTS}`));
      expect(found).toContain(`${address}/24`);
      expect(later).not.toMatch(/Deleted.*inet |state DOWN|NO-CARRIER/);

      const { took_ms } = await powerOff(machine, "poweroff");
      expect(machine.console.text).not.toContain("not responding");
      expect(took_ms).toBeLessThan(150_000);
      expect(both.addresses).toEqual(new Set([address]));
      expect(dhcp.map(({ type }) => type)).not.toContain("release");
    },
    USERLAND_TEST_MS,
  );
