/**
 * A Debian on ext4, LUKS, LVM and RAID1 is unlocked over SSH, and comes up with a lease of its own and one address: what
 * remote unlock is for.
 */

import { expect, test } from "bun:test";
import { freePort } from "../../qemu/network/cards.ts";
import { SshSession, makeSshKeys, sshArguments } from "../../qemu/ssh.ts";
import { USERLAND } from "../../qemu/userlands/etc.ts";
import { BOOT_MS, FACTS, USERLAND_TEST_MS, command, facts, logInHere } from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { startUnlockedDebian } from "../../qemu/userlands/unlocked.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const need = await userlandsNeed();

test.skipIf(need !== undefined)(
  `unlocked over SSH, systemd-networkd has the network to itself${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const keys = await makeSshKeys(dir);
    const port = freePort();
    await using machine = await startUnlockedDebian(keys, port);
    await machine.console.expect("unlock by: ssh root@10.0.2.15", BOOT_MS);
    await machine.console.expect(`its host key: ${keys.fingerprint} (ED25519)`, BOOT_MS);

    const stranger = new SshSession(sshArguments(keys, port, keys.stranger));
    expect(await stranger.status()).toBe(255);
    expect(stranger.text).toContain("Permission denied (publickey).");

    const session = new SshSession(sshArguments(keys, port), ["-tt"]);
    await session.expect("Passphrase for ");
    session.send(`${USERLAND.passphrase}\r`);
    await session.expect("The root is mounted, and the system starts.", BOOT_MS);
    expect(await session.status()).toBe(0);

    await logInHere(machine);
    expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
    expect(await facts(machine)).toEqual({ init: "systemd", ...FACTS });
    const addresses = (await command(machine, "ip -o address show scope global")).split("\n");
    expect(addresses).toHaveLength(1);
    expect(addresses[0]).toMatch(/ inet 10\.0\.2\.15\/24 .* dynamic /);
    expect(await command(machine, "ls /run/systemd/netif/leases | wc -l")).toBe("1");
    // Of all processes, and of what they have left.
    expect(await command(machine, "ps -eo comm | grep -E 'dropbear|udhcpc|unlock'")).toBe("");
    expect(await command(machine, "ls /run | grep -E 'rdinit|dropbear'")).toBe("");
    expect(await command(machine, "cat /proc/net/tcp /proc/net/tcp6 | grep -c ' 0A '")).toBe("0");
  },
  USERLAND_TEST_MS,
);
