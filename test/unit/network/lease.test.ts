/** What udhcpc tells its script becomes a lease, and the lease becomes routes and nameservers. */

import { describe, expect, test } from "bun:test";
import { parseLease } from "../../../src/network/lease.ts";
import { formatResolvConf, planResolving } from "../../../src/network/resolv-conf.ts";
import { leaseRoutes, planRoutes } from "../../../src/network/routes.ts";
import type { Lease, Route } from "../../../src/network/types.ts";

function lease(...variables: readonly string[]): Lease | undefined {
  const entries = variables.map((variable) => {
    const equals = variable.indexOf("=");
    return [variable.slice(0, equals), variable.slice(equals + 1)] as const;
  });
  return parseLease(new Map(entries));
}

function via(network: string, gateway?: string): Route {
  const [destination = "", prefix] = network.split("/");
  return { family: network.includes(":") ? 6 : 4, destination, prefix: Number(prefix), gateway };
}

test("all that a server gives", () => {
  expect(
    lease(
      "interface=eth0",
      "ip=10.0.2.15",
      "subnet=255.255.255.0",
      "mask=24",
      "siaddr=10.0.2.4",
      "serverid=10.0.2.2",
      "router=10.0.2.2 10.0.2.9",
      "dns=10.0.2.3 10.0.2.3 9.9.9.9",
      "domain=example.org",
      "search=a.example.org b.example.org",
      "hostname=web",
      "rootpath=10.0.2.4:/srv/root,vers=4.2",
      "ntpsrv=10.0.2.5",
      "lease=86400",
      "mtu=1400",
      "opt53=05",
    ),
  ).toEqual({
    family: 4,
    address: "10.0.2.15",
    prefix: 24,
    routers: ["10.0.2.2", "10.0.2.9"],
    routes: [],
    nameservers: ["10.0.2.3", "9.9.9.9"],
    domain: "example.org",
    search: ["a.example.org", "b.example.org"],
    ntpServers: ["10.0.2.5"],
    hostName: "web",
    rootPath: "10.0.2.4:/srv/root,vers=4.2",
    nextServer: "10.0.2.4",
    server: "10.0.2.2",
    seconds: 86_400,
    mtu: 1400,
  });
});

test("the least that a server gives", () => {
  expect(lease("ip=192.168.1.7")).toEqual({
    family: 4,
    address: "192.168.1.7",
    prefix: 24,
    routers: [],
    routes: [],
    nameservers: [],
  });
});

test("no address is no lease", () => {
  expect(lease("interface=eth0", "message=no more addresses")).toBeUndefined();
  expect(lease("ip=0.0.0.0")).toBeUndefined();
  expect(lease("ip=fd00::1")).toBeUndefined();
  expect(lease()).toBeUndefined();
});

describe("what makes no sense is as if it were not there", () => {
  test.each([
    "subnet=255.0.255.0",
    "subnet=x",
    "router=0.0.0.0 x",
    "dns=fd00::1",
    "domain=bad domain;reboot",
    "hostname=-",
    "hostname=bad",
    "hostname=a\nb c/d",
    "rootpath=",
    "rootpath=/a\n/b",
    "mtu=576",
    "mtu=70000",
    "mtu=many",
    "lease=4294967295",
    "lease=-1",
    "staticroutes=10.0.0.0/33 10.0.2.2",
    "staticroutes=10.0.0.0/8",
    "routes=10.0.0.0",
    "siaddr=0.0.0.0",
  ])("%p", (variable) => {
    const {
      domain: _domain,
      hostName: _hostName,
      search: _search,
      ...rest
    } = lease("ip=10.0.2.15", variable) ?? {};
    expect(rest).toEqual({ ...lease("ip=10.0.2.15") });
  });

  test("names are fit for files and for the kernel", () => {
    expect(lease("ip=10.0.2.15", "domain=a.org b.org ;x")).toMatchObject({
      domain: "a.org",
      search: ["a.org", "b.org"],
    });
    expect(lease("ip=10.0.2.15", "domain=$(reboot)")?.domain).toBeUndefined();
    expect(lease("ip=10.0.2.15", "hostname=bad")?.hostName).toBeUndefined();
  });
});

describe("routes", () => {
  test("classless ones take the place of routers and of the others (RFC 3442)", () => {
    const given = lease(
      "ip=10.0.2.15",
      "subnet=255.255.255.0",
      "router=10.0.2.2",
      "routes=10.9.9.9/10.0.2.9",
      "staticroutes=0.0.0.0/0 10.0.2.3 10.1.2.0/16 10.0.2.4 10.7.0.0/16 0.0.0.0",
      "msstaticroutes=10.8.0.0/16 10.0.2.5",
    );
    expect(given?.routers).toEqual([]);
    expect(given?.routes).toEqual([
      via("0.0.0.0/0", "10.0.2.3"),
      via("10.1.0.0/16", "10.0.2.4"),
      via("10.7.0.0/16"),
    ]);
    expect(given && leaseRoutes(given)).toEqual([
      via("10.7.0.0/16"),
      via("10.1.0.0/16", "10.0.2.4"),
      via("0.0.0.0/0", "10.0.2.3"),
    ]);
    expect(given && leaseRoutes(given, false)).toEqual([via("10.7.0.0/16"), via("10.1.0.0/16", "10.0.2.4")]);
  });

  test("Microsoft's count without the others", () => {
    const given = lease("ip=10.0.2.15", "router=10.0.2.2", "msstaticroutes=10.8.0.0/16 10.0.2.5");
    expect(given).toMatchObject({ routers: [], routes: [via("10.8.0.0/16", "10.0.2.5")] });
  });

  test("of classes", () => {
    const given = lease("ip=10.0.2.15", "routes=10.9.9.9/10.0.2.9 192.168.3.0/10.0.2.8", "router=10.0.2.2");
    expect(given).toMatchObject({
      routers: ["10.0.2.2"],
      routes: [via("10.9.9.9/32", "10.0.2.9"), via("192.168.3.0/24", "10.0.2.8")],
    });
  });

  test("a gateway that no address covers is put on the link first", () => {
    const given = lease("ip=10.240.0.5", "subnet=255.255.255.255", "router=10.240.0.1 10.240.0.2");
    expect(given && leaseRoutes(given)).toEqual([via("10.240.0.1/32"), via("0.0.0.0/0", "10.240.0.1")]);
    const cloud = lease(
      "ip=10.240.0.5",
      "subnet=255.255.255.255",
      "staticroutes=10.240.0.1/32 0.0.0.0 0.0.0.0/0 10.240.0.1",
    );
    expect(cloud && leaseRoutes(cloud)).toEqual([via("10.240.0.1/32"), via("0.0.0.0/0", "10.240.0.1")]);
  });

  test("one default route of each family", () => {
    const routes = [via("0.0.0.0/0", "10.0.2.3"), via("::/0", "fe80::1")];
    expect(planRoutes([{ address: "10.0.2.15", prefix: 24 }], ["10.0.2.2", "fe80::2"], routes)).toEqual(
      routes,
    );
  });

  test("of fixed addresses, both families, and links of two", () => {
    const addresses = [
      { address: "10.0.2.15", prefix: 24 },
      { address: "fd00::15", prefix: 64 },
    ];
    expect(planRoutes(addresses, ["10.0.2.2", "fe80::1", "fd00::1"], [])).toEqual([
      via("0.0.0.0/0", "10.0.2.2"),
      via("::/0", "fe80::1"),
    ]);
    expect(planRoutes(addresses, ["10.0.9.9", "fd01::1"], [])).toEqual([
      via("10.0.9.9/32"),
      via("fd01::1/128"),
      via("0.0.0.0/0", "10.0.9.9"),
      via("::/0", "fd01::1"),
    ]);
    expect(planRoutes([{ address: "10.0.2.15", prefix: 32, peer: "10.9.9.9" }], ["10.9.9.9"], [])).toEqual([
      via("0.0.0.0/0", "10.9.9.9"),
    ]);
  });
});

describe("resolv.conf", () => {
  const given = lease("ip=10.0.2.15", "dns=10.0.2.3", "domain=a.org", "search=b.org") as Lease;
  const wish = { nameservers: ["1.1.1.1"], domain: "w.org" };
  test("the command line's nameservers come first", () => {
    expect(
      formatResolvConf(
        planResolving({ nameservers: ["9.9.9.9", "10.0.2.3"], peerDns: true }, [wish], [given]),
      ),
    ).toBe("search w.org a.org b.org\nnameserver 9.9.9.9\nnameserver 10.0.2.3\nnameserver 1.1.1.1\n");
  });
  test("those of leases may be refused", () => {
    expect(formatResolvConf(planResolving({ nameservers: [], peerDns: false }, [wish], [given]))).toBe(
      "search w.org\nnameserver 1.1.1.1\n",
    );
    expect(formatResolvConf(planResolving({ nameservers: [], peerDns: false }, [], [given]))).toBe("");
  });
});
