/** Whatever stands on the command line, the network's words are read without a crash, and addresses survive. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../src/boot/cmdline/cmdline.ts";
import {
  familyOf,
  formatAddress,
  maskPrefix,
  networkOf,
  parseAddress,
  parsePrefix,
  prefixMask,
} from "../../src/network/address.ts";
import type { PresentLink } from "../../src/network/find-link.ts";
import { isLinkName } from "../../src/network/link-names.ts";
import { parseLease } from "../../src/network/lease.ts";
import { planNetwork } from "../../src/network/plan.ts";
import { formatResolvConf, planResolving } from "../../src/network/resolv-conf.ts";
import { leaseRoutes } from "../../src/network/routes.ts";
import { networkParameters, readNetworkSettings } from "../../src/network/settings.ts";

const bytes4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
// Zeros are what is hard about IPv6.
const bytes16 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { minLength: 16, maxLength: 16 })
  .map((bytes) => Uint8Array.from(bytes));
const bytes = fc.oneof(bytes4, bytes16);

describe("addresses", () => {
  test("what is written is read as what it was", () => {
    fc.assert(
      fc.property(bytes, (address) => {
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  test("there is one spelling: another program's is the same address", () => {
    fc.assert(
      fc.property(bytes16, (address) => {
        const groups = Array.from({ length: 8 }, (_, at) =>
          (((address[2 * at] ?? 0) << 8) | (address[2 * at + 1] ?? 0))
            .toString(16)
            .toUpperCase()
            .padStart(4, "0"),
        );
        const written = formatAddress(address);
        expect(parseAddress(groups.join(":"))).toEqual(address);
        expect(written).toBe(written.toLowerCase());
        // The URL parser of the runtime writes RFC 5952, but for IPv4-mapped addresses.
        if (!written.includes("."))
          expect(`[${written}]`).toBe(new URL(`http://[${groups.join(":")}]/`).hostname);
      }),
    );
  });

  test("what is read has 4 or 16 bytes", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."0123456789abcf:.:."), maxLength: 40 });
    fc.assert(
      fc.property(letters, (source) => {
        const address = parseAddress(source);
        if (address !== undefined) expect(address.length).toBe(source.includes(":") ? 16 : 4);
      }),
      { numRuns: 3000 },
    );
  });

  test("prefixes and masks are each other's", () => {
    fc.assert(
      fc.property(bytes, fc.nat(128), (address, any) => {
        const text = formatAddress(address);
        const family = familyOf(text);
        const prefix = any % (family === 4 ? 33 : 129);
        const mask = prefixMask(prefix, family);
        expect(maskPrefix(mask)).toBe(prefix);
        if (family === 4) expect(parsePrefix(formatAddress(mask), 4)).toBe(prefix);
        const network = networkOf(text, prefix);
        expect(networkOf(network, prefix)).toBe(network);
        expect(familyOf(network)).toBe(family);
      }),
    );
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    ..."eth0 eth1 bond0 br0 vlan5 eth0.5 dhcp dhcp6 auto6 link6 off none on ibft 10.0.2.15 10.0.2.15/24".split(
      " ",
    ),
    ..."255.255.255.0 24 64 [2001:db8::1] [2001:db8::1/64] [::] 1500 52:54:00:00:00:01 mode=1 miimon=9".split(
      " ",
    ),
    ..."[ ] : :: , ; / . = % 0 -1 999999999999 web.example.org 52-54-00-00-00-02 enx525400000001".split(" "),
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const value = fc
  .array(fc.tuple(piece, fc.constantFrom("", ":", ":", ",", "/")), { maxLength: 12 })
  .map((all) => all.flat().join(""));
const word = fc.record({
  name: fc.constantFrom(...networkParameters.map(({ name }) => name)),
  value: fc.option(value, { nil: undefined }),
});
const link: fc.Arbitrary<PresentLink> = fc.record({
  name: fc.constantFrom("eth0", "eth1", "eth2", "bond0", "br0", "vlan5", "eth0.5", "lo"),
  mac: fc.constantFrom("52:54:00:00:00:01", "52:54:00:00:00:02", ""),
  permanentMac: fc.constantFrom("52:54:00:00:00:01", ""),
  isEthernet: fc.boolean(),
  isVirtual: fc.boolean(),
  hasCarrier: fc.boolean(),
  otherNames: fc.constantFrom([], ["enp0s3"]),
});
const links = fc.uniqueArray(link, { selector: ({ name }) => name, maxLength: 5 });

describe("words", () => {
  test("any are read, and what is kept is what the kernel takes", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const { settings, complaints } = readNetworkSettings(words);
        for (const { addresses, gateways, nameservers, mtu } of settings.interfaces) {
          for (const { family, address, prefix } of addresses) {
            expect(familyOf(address)).toBe(family);
            expect(parseAddress(address)?.length).toBe(family === 4 ? 4 : 16);
            expect(prefix).toBeLessThanOrEqual(family === 4 ? 32 : 128);
          }
          for (const address of [...gateways, ...nameservers]) expect(parseAddress(address)).toBeDefined();
          if (mtu !== undefined) expect(mtu).toBeWithin(68, 65_536);
        }
        const made = [...settings.bonds, ...settings.bridges, ...settings.vlans, ...settings.names];
        expect(made.every(({ name }) => isLinkName(name))).toBe(true);
        for (const complaint of complaints) expect(complaint).not.toMatch(/[\u0000-\u001f]/);
      }),
      { numRuns: 3000 },
    );
  });

  test("any command line is read", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (line) => {
        readNetworkSettings(parseCommandLine(`ip=${line} bond=${line} rd.route=${line} vlan=${line}`));
      }),
    );
  });
});

const variable = fc.tuple(
  fc.constantFrom(
    ..."ip subnet router dns domain search hostname rootpath ntpsrv siaddr serverid lease mtu".split(" "),
    ..."routes staticroutes msstaticroutes".split(" "),
  ),
  fc.array(
    fc.oneof(
      fc.constantFrom(
        ..."10.0.2.15 0.0.0.0/0 10.0.2.2 10.1.0.0/16 10.1.2.3/10.0.2.2 255.255.255.0 a.org 1400".split(" "),
      ),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 6 },
  ),
);

describe("leases", () => {
  test("whatever a server writes, each gateway is on the link or gets there before it is used", () => {
    fc.assert(
      fc.property(fc.array(variable, { maxLength: 12 }), (all) => {
        const variables = all.map(([name, words]) => [name, words.join(" ")] as const);
        const lease = parseLease(new Map([["ip", "10.0.2.15"], ...variables]));
        if (lease === undefined) return;
        expect(formatResolvConf(planResolving({ nameservers: [], peerDns: true }, [], [lease]))).toMatch(
          /^(?:search [\w. -]+\n)?(?:nameserver [\d.]+\n)*$/,
        );
        const there = [{ destination: networkOf(lease.address, lease.prefix), prefix: lease.prefix }];
        for (const { destination, prefix, gateway } of leaseRoutes(lease)) {
          expect(networkOf(destination, prefix)).toBe(destination);
          if (gateway === undefined) there.push({ destination, prefix });
          else expect(there.some((one) => networkOf(gateway, one.prefix) === one.destination)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("plans", () => {
  test("each link is made after what it is made of, and configured once", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), links, (words, present) => {
        const plan = planNetwork(readNetworkSettings(words).settings, present);
        const names = new Set(present.map(({ name }) => name));
        for (const { from, to } of plan.renames) {
          expect(names.delete(from)).toBe(true);
          expect(names.has(to)).toBe(false);
          names.add(to);
        }
        for (const make of plan.makes) {
          for (const below of make.kind === "vlan" ? [make.over] : make.ports) {
            expect(names.has(below)).toBe(true);
            expect(below).not.toBe(make.name);
          }
          expect(make.isThere).toBe(names.has(make.name));
          names.add(make.name);
        }
        const configured = plan.configures.map(({ name }) => name);
        expect(new Set(configured).size).toBe(configured.length);
        expect(configured.every((name) => names.has(name))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
