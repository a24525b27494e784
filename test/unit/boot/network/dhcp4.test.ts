/** What becomes of an interface by what a DHCP server says, as far as the kernel lets it. */

import { expect, test } from "bun:test";
import { LeaseKeeper } from "../../../../src/boot/network/dhcp4.ts";
import { Interface } from "../../../../src/boot/network/interface.ts";
import type { Progress } from "../../../../src/boot/network/part.ts";
import { Session } from "../../../../src/boot/network/session.ts";
import { nothing } from "../../../../src/network/ip-word.ts";
import { readNetworkSettings } from "../../../../src/network/settings.ts";
import type { Lease } from "../../../../src/network/types.ts";
import { readLinks } from "../../../../syscalls/rtnetlink/index.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { NetworkInMemory } from "../../../fixtures/network-in-memory.ts";

const LEASE: Lease = {
  family: 4,
  address: "10.0.0.5",
  prefix: 24,
  routers: ["10.0.0.1"],
  routes: [],
  nameservers: [],
};

function keeper() {
  const network = new NetworkInMemory();
  network.plug("eth0");
  const { boot, lines } = bootOn(network.sys, "");
  const session = new Session(boot, readNetworkSettings([]).settings, async () => undefined);
  const [link] = readLinks(session.kernel);
  if (link === undefined) throw new Error("There is no link.");
  const place = { metric: undefined, isSpare: () => false };
  const host = new Interface(session, link, nothing, place).host();
  const reports: Progress[] = [];
  const lease = new LeaseKeeper(host, (progress) => void reports.push(progress));
  const bound = (more: Partial<Lease> = {}): void =>
    lease.hear({ kind: "lease", lease: { ...LEASE, ...more } });
  return { network, lines, reports, lease, bound };
}

const shown = (reports: readonly Progress[]): string[] =>
  reports.map((one) => (typeof one === "string" ? one : one.message));

test("an MTU that the card can't have costs neither the address nor the routes", () => {
  const { network, lines, reports, bound } = keeper();
  network.refuse = (change) => (change === "mtu eth0 9000" ? "EINVAL" : undefined);
  bound({ mtu: 9000 });
  expect(reports).toEqual(["done"]);
  expect(network.addresses).toEqual(["eth0 10.0.0.5/24"]);
  expect(network.routes).toEqual(["0.0.0.0/0 by 10.0.0.1"]);
  expect(lines).toEqual([
    expect.stringMatching(
      /^warning: eth0 can't have the MTU 9000 that the DHCP server names, and keeps 1500: .*EINVAL/,
    ),
    "info: eth0 has 10.0.0.5/24 by DHCP",
  ]);
  bound({ mtu: 1400 });
  expect(network.changes).toContain("mtu eth0 1400");
});

test("a route that the kernel refuses is told, and the others are set", () => {
  const { network, lines, reports, bound } = keeper();
  network.refuse = (change) => (change.includes("by 10.0.0.5") ? "EINVAL" : undefined);
  const route = { family: 4, destination: "10.1.0.0", prefix: 16, gateway: "10.0.0.5" } as const;
  bound({ routes: [route] });
  expect(reports).toEqual(["done"]);
  expect(network.routes).toEqual(["0.0.0.0/0 by 10.0.0.1"]);
  expect(lines[0]).toMatch(
    /^warning: The route to 10\.1\.0\.0\/16 by 10\.0\.0\.5, which the DHCP server of eth0 names, can't be set: /,
  );
});

test("an address that the kernel refuses is told to whoever waits, and the next one is taken", () => {
  const { network, reports, lease, bound } = keeper();
  network.refuse = (change) => (change === "set eth0 127.0.0.5" ? "EINVAL" : undefined);
  bound({ address: "127.0.0.5" });
  expect(shown(reports)).toEqual([expect.stringMatching(/^The lease on eth0 can't be used: .*EINVAL/)]);
  expect(lease.lease).toBeUndefined();
  bound();
  expect(shown(reports).at(-1)).toBe("done");
});

test("a lease of another address takes the place of the one before, and one that is lost is dropped", () => {
  const { network, lines, reports, lease, bound } = keeper();
  bound();
  bound({ address: "10.0.0.6" });
  expect(network.addresses).toEqual(["eth0 10.0.0.6/24"]);
  expect(lease.lease?.address).toBe("10.0.0.6");
  lease.hear({ kind: "deconfig" });
  expect(network.addresses).toEqual([]);
  expect(reports).toEqual(["done", "under way"]);
  lease.hear({ kind: "deconfig" });
  expect(lines.filter((line) => line.includes("is lost"))).toEqual([
    "warning: The lease on eth0 is lost; asking for another.",
  ]);
});
