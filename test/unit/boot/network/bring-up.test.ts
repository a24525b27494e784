/** What is done as cards come and go, on a network in memory. */

import { expect, test } from "bun:test";
import { BringUp } from "../../../../src/boot/network/bring-up.ts";
import { Session } from "../../../../src/boot/network/session.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { readNetworkSettings } from "../../../../src/network/settings.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { NetworkInMemory } from "../../../fixtures/network-in-memory.ts";

/** Brings a network up that begins with these cards; a name in ( ) is a card without a cable. */
function bringUp(line: string, ...cards: readonly string[]) {
  const knobs = { disable_ipv6: "0\n", accept_ra: "1\n", autoconf: "1\n" };
  const network = new NetworkInMemory({
    sys: { class: { net: { bond0: { bonding: {} } } } },
    proc: { sys: { net: { ipv6: { conf: { eth0: knobs } } } } },
  });
  for (const card of cards) network.plug(card.replace(/[()]/g, ""), { cable: !card.startsWith("(") });
  const { boot, lines } = bootOn(network.sys, line);
  const session = new Session(boot, readNetworkSettings(boot.words).settings, async () => undefined);
  const bringing = new BringUp(session);
  void bringing.run();
  /** Waits for what is told to whoever waits. */
  const outcome = (): Promise<string> =>
    session.until(() => {
      const now = bringing.outcome();
      return now === "under way" ? undefined : now instanceof UserError ? now.message : now;
    });
  const isUp = (): Promise<true> => session.until(() => (bringing.outcome() === "up" ? true : undefined));
  return { network, lines, outcome, isUp };
}

const IP = "ip=10.0.0.5::10.0.0.1:24:::off";

test("an address for any card goes to the one with a cable, which is known only when all are on", async () => {
  const { network, lines, outcome } = bringUp(`${IP} rd.net.timeout.carrier=0.2`, "(eth0)", "eth1");
  expect(await outcome()).toBe("up");
  expect(network.addresses).toEqual(["eth1 10.0.0.5/24"]);
  expect(network.routes).toEqual(["0.0.0.0/0 by 10.0.0.1"]);
  expect(lines).toContain("info: eth1 is used in the place of eth0");
});

test("it goes to the card whose cable comes first, and stays there", async () => {
  const { network, outcome, isUp } = bringUp(`${IP} rd.net.timeout.carrier=0.1`, "(eth0)", "(eth1)");
  expect(await outcome()).toBe("eth0 has no carrier after 0.1 s.");
  network.cable("eth1", true);
  await isUp();
  network.cable("eth1", false);
  network.cable("eth0", true);
  await Bun.sleep(20);
  expect(network.addresses).toEqual(["eth1 10.0.0.5/24"]);
  expect(await outcome()).toBe("up");
});

test("a card that goes away before it is configured is told like one that never came", async () => {
  const line = "ip=10.0.0.5:::24::eth0:off rd.net.timeout.iflink=0.2 rd.route=10.9.0.0/16:10.0.0.1:eth0";
  const { network, lines, outcome, isUp } = bringUp(line, "(eth0)");
  await Bun.sleep(20);
  network.unplug("eth0");
  expect(await outcome()).toBe("There is no network interface eth0 within 0.2 s.");
  expect(lines.filter((one) => one.includes("eth0 is gone"))).toHaveLength(1);
  network.plug("eth0");
  await isUp();
  network.unplug("eth0");
  await Bun.sleep(20);
  network.plug("eth0");
  await isUp();
  expect(network.addresses).toEqual(["eth0 10.0.0.5/24"]);
  expect(network.routes).toEqual(["10.9.0.0/16 by 10.0.0.1"]);
});

test("nothing more is said or done for a card that is gone", async () => {
  const { network, lines } = bringUp("ip=10.0.0.5:::24::eth0:off rd.net.timeout.carrier=0.1", "(eth0)");
  await Bun.sleep(20);
  network.unplug("eth0");
  await Bun.sleep(150);
  expect(lines.join("\n")).not.toContain("no carrier after");
});

test("what a card that is gone still had to wait for is not spoken of", async () => {
  const { network, lines } = bringUp("ip=eth0:auto6 rd.net.timeout.iflink=0.1", "eth0");
  await Bun.sleep(20);
  network.unplug("eth0");
  await Bun.sleep(1200);
  expect(lines).toEqual([
    "warning: eth0 is gone.",
    expect.stringMatching(/^warning: There is no network interface eth0 within 0\.1 s\. /),
  ]);
});

test("a route that can't be set is told once", async () => {
  const { network, lines, outcome } = bringUp(
    `ip=10.0.0.5:::24::eth0:off rd.route=10.9.0.0/16:10.1.0.1 rd.net.timeout.route=0.1`,
    "eth0",
  );
  network.refuse = (change) => (change.startsWith("route 10.9.") ? "ENETUNREACH" : undefined);
  setTimeout(() => network.plug("eth1"), 30);
  setTimeout(() => network.plug("eth2"), 60);
  expect(await outcome()).toBe("up");
  await Bun.sleep(100);
  expect(lines.filter((one) => one.includes("can't be set"))).toEqual([
    "warning: The route to 10.9.0.0/16 by 10.1.0.1 can't be set: after 0.1 s nothing leads to its gateway.",
  ]);
});

test("what can't go on says so to whoever waits", async () => {
  const network = new NetworkInMemory();
  const { boot, lines } = bootOn(network.sys, IP);
  const session = new Session(boot, readNetworkSettings(boot.words).settings, async () => {
    throw new RangeError("oops");
  });
  const bringing = new BringUp(session);
  await bringing.run();
  expect(bringing.outcome()).toBeInstanceOf(UserError);
  expect(lines).toEqual([expect.stringMatching(/^error: The network is not brought up any further: .*oops/)]);
});

test("a bond's options that need ports are set when it gets one, and not at each change", async () => {
  const line = "bond=bond0:eth0,eth1:mode=active-backup,primary=eth0 ip=10.0.0.5:::24::bond0:off";
  const { network, isUp } = bringUp(line, "eth0", "eth1");
  await isUp();
  const written = (): number =>
    network.calls.filter(({ args }) => args[0] === "/sys/class/net/bond0/bonding/primary").length;
  expect(written()).toBe(1);
  network.plug("eth2");
  await Bun.sleep(20);
  expect(written()).toBe(1);
  network.unplug("eth1");
  network.plug("eth1");
  await Bun.sleep(20);
  expect(written()).toBe(2);
});
