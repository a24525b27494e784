/** What the server guest of the network's tests is told. */

import { expect, test } from "bun:test";
import {
  dnsmasqConf,
  exportsFile,
  interfaceOf,
  nbdConf,
  serverAddress,
  startScript,
} from "../../../qemu/network/config.ts";

const LANS = [{}, { vlan: 5 }, {}, { vlan: 7, on: 2 }] as const;

test("a VLAN is on the card of the network it names, others have cards of their own", () => {
  expect(LANS.map((_, lan) => interfaceOf(LANS, lan))).toEqual(["eth0", "eth0.5", "eth1", "eth1.7"]);
  expect(serverAddress(3)).toEqual({ v4: "10.77.3.1", v6: "fd77:0:0:3::1" });
});

test("dnsmasq serves each network what it is told, and nothing else", () => {
  const conf = dnsmasqConf({
    lans: [
      {
        known: [{ mac: "52:54:00:12:34:56", host: 9, name: "nine" }],
        lease_s: 120,
        rootPath: "10.77.0.1:/srv/x",
      },
      { dhcp4: false, ipv6: "dhcp", options: ["option:mtu,1400"] },
    ],
    dnsmasq: ["log-dhcp"],
  }).split("\n");
  expect(conf).toContain("dhcp-range=set:lan0,10.77.0.100,10.77.0.199,255.255.255.0,120");
  expect(conf).toContain("dhcp-host=52:54:00:12:34:56,10.77.0.9,nine");
  expect(conf).toContain('dhcp-option=tag:lan0,option:root-path,"10.77.0.1:/srv/x"');
  expect(conf).toContain("dhcp-range=set:lan1,fd77:0:0:1::100,fd77:0:0:1::1ff,64,3600");
  expect(conf).toContain("dhcp-option=tag:lan1,option:mtu,1400");
  expect(conf).toContain("enable-ra");
  expect(conf).toContain("log-dhcp");
  expect(conf.filter((line) => line.startsWith("dhcp-range="))).toHaveLength(2);
  expect(dnsmasqConf({})).not.toContain("enable-ra");
});

test("exports are on the disks behind the server's own", () => {
  const exports = [
    { kind: "nfs", name: "root", file: "a" },
    { kind: "nbd", name: "disk", file: "b", readonly: true },
    { kind: "iscsi", name: "iqn.2026-01.test:c", file: "c", chap: { user: "u", password: "p" } },
    { kind: "nfs", name: "data", file: "d", options: "ro" },
  ] as const;
  expect(exportsFile(exports)).toMatch(/^\/srv\/root \*\(rw,no_root_squash,.*\)\n\/srv\/data \*\(ro,/m);
  expect(nbdConf(exports)).toContain("[disk]\nexportname = /dev/vdc\nreadonly = true\n");
  const script = startScript({ exports });
  expect(script).toContain("mount -o rw /dev/vdb /run/nfs/srv/root\n");
  expect(script).toContain("mount -o ro /dev/vde /run/nfs/srv/data\n");
  expect(script).toContain("--tid 3 --lun 1 --backing-store /dev/vdd\n");
  expect(script).toContain("--op bind --mode account --tid 3 --user u\n");
  // What nobody asked for is not started.
  expect(startScript({})).not.toMatch(/nfsd|nbd-server|tgtd/);
});
