/** The network is brought up as ip= asks, and nothing of it is left to the real init. */

import { beforeAll, expect, test } from "bun:test";
import { macOf } from "../../qemu/network/cards.ts";
import { makeHub } from "../../qemu/network/hub.ts";
import {
  MACHINE_MS,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  said,
} from "../../qemu/scenario.ts";
import { LOOK_AT_NETWORK, network, network4 } from "../fixtures/network-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const user = { link: { kind: "user" } } as const;
const image = { shell: true, files: [LOOK_AT_NETWORK] };
const dir = temporaryDirectory();
let disk: { file: string };

beforeAll(async () => {
  disk = { file: await probeDisk(dir) };
});

test(
  "by DHCP: address, nameserver, and the lease is given back",
  async () => {
    const machine = await bootRdinit("network-dhcp", {
      append: "root=/dev/vda ip=dhcp rd.neednet=1 nameserver=10.0.2.9 debug",
      disks: [disk],
      cards: [user],
      image,
    });
    const listing = await probed(machine);
    expect(network4(machine)).toEqual([
      "address eth0 10.0.2.15/24",
      "route 10.0.2.0/24 dev eth0 scope link  src 10.0.2.15",
      "resolv.conf nameserver 10.0.2.9",
      "host (none)",
    ]);
    expectSaid(machine, [
      "eth0 has 10.0.2.15/24 by DHCP from 10.0.2.2, for 86400 s",
      "udhcpc: udhcpc: sending release",
      "took the network down: eth0, lo",
    ]);
    expect(listing.get("processes.others")).toBe("0");
    expect(listing.get("net.eth0.ipv4")).toStartWith("<");
  },
  TEST_MS,
);

test(
  "fixed addresses of both families on the card of a MAC address, which gets another name",
  async () => {
    const machine = await bootRdinit("network-static", {
      append:
        `root=/dev/vda ip=10.0.2.77::10.0.9.1:24:box:${macOf(1).replaceAll(":", "-")}:none ` +
        `ip=[2001:db8::5]::[2001:db8::1]:64::${macOf(1).replaceAll(":", "-")}:none ` +
        `ifname=bootnet:${macOf(1)} rd.route=10.9.0.0/16:10.0.2.4:bootnet nameserver=10.0.2.3 rd.neednet=1`,
      disks: [disk],
      cards: [user, user],
      image,
    });
    const listing = await probed(machine);
    expect(network4(machine)).toEqual([
      "address bootnet 10.0.2.77/24",
      "route default via 10.0.9.1 dev bootnet",
      "route 10.0.2.0/24 dev bootnet scope link  src 10.0.2.77",
      "route 10.0.9.1 dev bootnet scope link",
      "route 10.9.0.0/16 via 10.0.2.4 dev bootnet",
      "resolv.conf nameserver 10.0.2.3",
      "host box",
    ]);
    expect(network(machine)).toContain("address bootnet 2001:db8::5/64");
    expect(network(machine)).toContain("route6 default via 2001:db8::1");
    // The kernel never forgets that it was given a name, so udev lets it be.
    expect(listing.get("net.bootnet.flags")).toBeDefined();
    expect(listing.get("kernel.hostname") ?? "(none)").toBe("(none)");
  },
  TEST_MS,
);

test(
  "two cards exchange their names; what has no name is the card of BOOTIF=",
  async () => {
    const machine = await bootRdinit("network-names", {
      append:
        `root=/dev/vda ifname=eth1:${macOf(0)} ifname=eth0:${macOf(1)} ` +
        `ip=dhcp BOOTIF=01-${macOf(1).replaceAll(":", "-")} rd.neednet=1`,
      disks: [disk],
      cards: [user, user],
      image,
    });
    await probed(machine);
    expect(network4(machine).filter((line) => line.startsWith("address"))).toEqual([
      "address eth0 10.0.2.15/24",
    ]);
    expect(network(machine).join("\n")).not.toContain("eth1");
  },
  TEST_MS,
);

test(
  "a carrier that comes late is waited for, and still taken when it comes too late",
  async () => {
    const machine = await bootRdinit("network-carrier", {
      append: "root=/dev/vda ip=dhcp rd.neednet=1 rd.net.timeout.carrier=4",
      hotplug: ["virtio-blk"],
      cards: [user],
      image,
    });
    const setLink = (up: boolean) => machine.qmp.execute("set_link", { name: "net0", up });
    await setLink(false);
    await machine.console.expect("rdinit: waiting for eth0: no carrier (giving up in", MACHINE_MS);
    await machine.console.expect("rdinit: eth0 has no carrier after 4 s.", MACHINE_MS);
    await machine.console.expect(
      "rdinit: The boot goes on without the network that rd.neednet= waits for.",
      MACHINE_MS,
    );
    await setLink(true);
    await machine.console.expect("rdinit: eth0 has a carrier now.", MACHINE_MS);
    await machine.console.expect("rdinit: eth0 has 10.0.2.15/24 by DHCP", MACHINE_MS);
    await machine.plugDisk(disk);
    await probed(machine);
    expect(network(machine)).toContain("address eth0 10.0.2.15/24");
  },
  TEST_MS,
);

test(
  "without a DHCP server the boot says so and goes on",
  async () => {
    await using hub = makeHub("network-nobody");
    const machine = await bootRdinit("network-nobody", {
      append: "root=/dev/vda ip=eth0:dhcp rd.neednet=1 rd.net.timeout.dhcp=3",
      disks: [disk],
      cards: [hub.card()],
      image,
    });
    await probed(machine);
    expectSaid(machine, [
      /^waiting for a DHCP lease on eth0 \(giving up in \d s\)$/,
      "No DHCP server has answered on eth0 within 3 s. rdinit goes on asking.",
      "The boot goes on without the network that rd.neednet= waits for. No DHCP server has answered on eth0 within 3 s.",
    ]);
  },
  TEST_MS,
);

test(
  "what is missing is named: the interface, udhcpc",
  async () => {
    const machine = await bootRdinit("network-missing", {
      append: "root=/dev/vda ip=eth7:dhcp ip=eth0:dhcp rd.neednet=1 rd.net.timeout.iflink=2",
      disks: [disk],
      cards: [user],
      image: {},
    });
    await probed(machine);
    expectSaid(machine, [
      /^waiting for the network interface eth7 \(giving up in \d s\)$/,
      /^There is no network interface eth7 within 2 s\. /,
      /^DHCP needs udhcpc, which is not in the image\. Pack a busybox that has it/,
      /^The boot goes on without the network .* DHCP needs udhcpc.* There is no network interface eth7 within 2 s\.$/,
    ]);
  },
  TEST_MS,
);

test(
  "by router advertisements",
  async () => {
    const machine = await bootRdinit("network-auto6", {
      append: "root=/dev/vda ip=eth0:auto6 rd.neednet=1",
      disks: [disk],
      cards: [user],
      image,
    });
    await probed(machine);
    expect(network(machine)).toEqual([
      "address eth0 fec0::5054:ff:fe12:3456/64",
      "route6 default via fe80::2",
      "host (none)",
    ]);
  },
  TEST_MS,
);

test(
  "nothing is done for a network that nobody asks for",
  async () => {
    const machine = await bootRdinit("network-none", {
      append: "root=/dev/vda ip=off debug",
      disks: [disk],
      cards: [user],
      image,
    });
    await probed(machine);
    expect(network(machine)).toEqual(["host (none)"]);
    expect(said(machine).join("\n")).not.toMatch(/network|eth0|waiting/);
  },
  TEST_MS,
);

test(
  "a lease that is lost takes its address with it, and the next one is used",
  async () => {
    const machine = await bootRdinit("network-lost", {
      append: "root=/dev/vda ip=eth0:dhcp rd.neednet=1 rd.break=pre-mount",
      disks: [disk],
      cards: [user],
      image,
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    // The client gives it back, and asks again: what a server's refusal to renew comes to.
    const client = "$(grep -l 'udhcp[c]' /proc/[0-9]*/cmdline | cut -d/ -f3)";
    machine.console.send(`kill -USR2 ${client}\n`);
    await machine.console.expect("rdinit: The lease on eth0 is lost; asking for another.", MACHINE_MS);
    machine.console.send("ip addr show dev eth0 | grep -c 10.0.2.15\n");
    await machine.console.expect(/^0$/m, MACHINE_MS);
    machine.console.send(`kill -USR1 ${client}\n`);
    await machine.console.expect("rdinit: eth0 has 10.0.2.15/24 by DHCP from 10.0.2.2", MACHINE_MS);
    machine.console.send("exit\n");
    await probed(machine);
    expect(network4(machine)).toContain("address eth0 10.0.2.15/24");
  },
  TEST_MS,
);

test(
  "the first of two cards that gets a lease is enough for ip=single-dhcp",
  async () => {
    await using hub = makeHub("network-single");
    const machine = await bootRdinit("network-single", {
      append: "root=/dev/vda ip=single-dhcp rd.neednet=1",
      disks: [disk],
      cards: [hub.card(), user],
      image,
    });
    await probed(machine);
    expect(network4(machine).filter((line) => line.startsWith("address"))).toEqual([
      "address eth1 10.0.2.15/24",
    ]);
    // The card without a server is no trouble that anybody need hear of.
    const [, later = ""] = said(machine).join("\n").split("eth1 has 10.0.2.15/24");
    expect(later).not.toMatch(/waiting for .*eth0|No DHCP server/);
  },
  TEST_MS,
);

test(
  "a boot that does not need the network waits neither for it nor for its end",
  async () => {
    await using hub = makeHub("network-early");
    const machine = await bootRdinit("network-early", {
      append: "root=/dev/vda ip=dhcp",
      disks: [disk],
      cards: [hub.card()],
      image: { shell: true },
    });
    const listing = await probed(machine);
    expect(listing.get("processes.others")).toBe("0");
    expect(listing.get("net.eth0.ipv4")).toStartWith("<");
    expectSaid(machine, ["bringing the network up, for the command line", "took the network down: eth0, lo"]);
    expect(said(machine).join("\n")).not.toMatch(/No DHCP server|error|can't/);
  },
  TEST_MS,
);
