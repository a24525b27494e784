/** The network as those who need it see it. */

import { expect, test } from "bun:test";
import { Network } from "../../../../src/boot/network/network.ts";
import { readNetworkSettings } from "../../../../src/network/settings.ts";
import { readTextIfThere } from "../../../../syscalls/index.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { NetworkInMemory } from "../../../fixtures/network-in-memory.ts";

function networkWith(line: string, ...cards: readonly string[]) {
  const kernel = new NetworkInMemory({ proc: { sys: { kernel: { hostname: "(none)\n" } } } });
  for (const card of cards) kernel.plug(card.replace(/[()]/g, ""), { cable: !card.startsWith("(") });
  const { boot, lines } = bootOn(kernel.sys, line);
  const { settings } = readNetworkSettings(boot.words);
  return { kernel, lines, network: new Network(boot, settings, async () => undefined, new Set()) };
}

test("the boot interface comes first, with the name that it gives the machine", async () => {
  const { kernel, network } = networkWith(
    "ip=10.0.0.5:::24:one:eth0:off ip=10.1.0.5:::24:two:eth1:off bootdev=eth1",
    "eth0",
    "eth1",
  );
  const { interfaces } = await network.up();
  expect(interfaces.map(({ name, addresses }) => [name, ...addresses])).toEqual([
    ["eth1", "10.1.0.5/24"],
    ["eth0", "10.0.0.5/24"],
  ]);
  expect(readTextIfThere(kernel.sys, "/proc/sys/kernel/hostname")).toBe("two");
});

test("who asks again is not told that the network is up while it is still under way", async () => {
  const line =
    "ip=10.0.0.5:::24::eth0:off rd.route=10.9.0.0/16:10.1.0.1 rd.net.timeout.carrier=0.1 rd.net.timeout.dhcp=0.1";
  const { kernel, network } = networkWith(`${line} rd.net.timeout.route=0.6`, "(eth0)");
  kernel.refuse = (change) => (change.startsWith("route 10.9.") ? "ENETUNREACH" : undefined);
  const first = await network.up().catch((error: unknown) => error);
  expect(first).toMatchObject({ message: "eth0 has no carrier after 0.1 s." });
  kernel.cable("eth0", true);
  const again = network.up();
  expect(await Promise.race([again, Bun.sleep(300).then(() => "waits")])).toBe("waits");
  expect((await again).interfaces.map(({ name }) => name)).toEqual(["eth0"]);
});

test("after a hand-over that failed DHCP is asked anew: what was left up is the machine's own", async () => {
  const { lines, network } = networkWith("ip=eth0:link-local,dhcp", "eth0");
  const asked = (): number => lines.filter((line) => line.includes("DHCP needs udhcpc")).length;
  await network.up();
  expect(asked()).toBe(1);
  await network.end(true);
  await network.up();
  expect(lines.join("\n")).not.toContain("already");
  expect(asked()).toBe(2);
});
