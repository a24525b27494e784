/** What `rdinit plan` says of the network. */

import { expect, test } from "bun:test";
import { RootTree } from "../../../src/image/root-tree.ts";
import { planBoot } from "../../../src/plan/plan.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

/** The sentences about the network. */
function plan(line: string): string[] {
  const { steps } = planBoot(`root=LABEL=x ${line}`);
  return steps.filter((step) => /network|Wait for that|interface/.test(step));
}

const END = "Give leases back, and take the network down.";

test("nothing, where nobody asks for it", () => {
  expect(plan("")).toEqual([]);
  expect(plan("rd.neednet=0 ip=dhcp")).toEqual([]);
  expect(plan("ip=off")).toEqual(["Configure no interface, as ip= says."]);
});

test.each([
  ["ip=dhcp", "configure every wired interface with a lease of DHCP", "10 s for a carrier, 60 s for a lease"],
  [
    "ip=dhcp BOOTIF=01-52-54-00-00-00-01",
    "configure 52:54:00:00:00:01 with a lease of DHCP",
    "10 s for a carrier, 60 s for a lease",
  ],
  [
    "ip=10.0.0.5::10.0.0.1:24::eth0:none nameserver=10.0.0.2 rd.route=10.9.0.0/16:10.0.0.3",
    "configure eth0 with 10.0.0.5/24 and the gateway 10.0.0.1; reach 10.9.0.0/16 by 10.0.0.3; ask the nameservers 10.0.0.2",
    "60 s for an interface to appear, 10 s for a carrier",
  ],
  [
    "bond=b:eth0,eth1 bridge=br0:b vlan=br0.7:br0 ip=br0.7:dhcp,auto6 rd.net.dhcp.retry=3 rd.net.timeout.dhcp=5",
    "make the bond b of eth0, eth1; make the bridge br0 of b; make br0.7, the VLAN 7 over br0; " +
      "configure br0.7 with a lease of DHCP and IPv6 addresses that a router advertises",
    "60 s for an interface to appear, 10 s for a carrier, 5 s for a lease, 3 times, 40 s for a router's advertisement",
  ],
  [
    "ip=eth0:off ip=eth1:dhcp ifname=lan:52:54:00:00:00:01",
    "call 52:54:00:00:00:01 lan; leave eth0 alone; configure eth1 with a lease of DHCP",
    "60 s for an interface to appear, 10 s for a carrier, 60 s for a lease",
  ],
])("%s", (line, what, waits) => {
  expect(plan(line)).toEqual([
    `Bring the network up: ${what}.`,
    `Wait for that, where it is needed, at most ${waits}.`,
    END,
  ]);
});

test("rd.neednet waits whatever the root is", () => {
  expect(plan("rd.neednet=1")[1]).toBe("Wait for that at most 10 s for a carrier, 60 s for a lease.");
});

test("remote unlock, by an image that was built for it or by the command line", () => {
  const image = new RootTree(temporaryTree({ init: "x", "bin/unlock": "-> ../init" }));
  const begin =
    "When an encrypted volume is met, bring the network up for remote unlock: " +
    "configure every wired interface with a lease of DHCP.";
  const asked =
    "While a passphrase is asked for, let those in over SSH, on port 22, who have a key: they are asked as well, and get nothing else.";
  const { steps } = planBoot("root=LABEL=x", image);
  expect(steps).toEqual(expect.arrayContaining([begin, asked, END]));
  expect(planBoot("root=LABEL=x rd.ssh=0", image).steps.join(" ")).not.toMatch(/network|SSH/);
  const allowed = planBoot("root=LABEL=x rd.ssh ip=dhcp rd.ssh.port=2222 rd.ssh.shell").steps;
  expect(allowed).toContain("Bring the network up: configure every wired interface with a lease of DHCP.");
  expect(allowed).toContain(
    asked.replace("port 22", "port 2222").replace("get nothing else", "may have a shell"),
  );
});

test("a root on the network keeps it up", () => {
  expect(planBoot("root=nfs:h:/x").steps).toContain("Leave the network as it is, for the root is on it.");
  expect(planBoot("root=nfs:h:/x").steps).not.toContain(END);
});
