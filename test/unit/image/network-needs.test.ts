import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { readOptions } from "../../../src/boot/cmdline/options.ts";
import { networkNeeds } from "../../../src/image/network-needs.ts";

function needs(line: string, remote?: boolean) {
  const words = parseCommandLine(line);
  const { isForRoot, ...found } = networkNeeds(words, readOptions(words).options, remote);
  expect(isForRoot).toBe(/^root=(?:nfs|nbd|iscsi)/.test(line));
  return { ...found, needs: found.needs.map(({ why, modules, programs }) => [why, modules, programs]) };
}

test("nothing, where nobody wants interfaces to be configured", () => {
  for (const line of ["", "root=LABEL=x", "ip=off", "rd.neednet=0 ip=dhcp", "ip=eth0:off"])
    expect(needs(line)).toEqual({ why: undefined, dhcp: false, needs: [] });
});

test("ip= and its like", () => {
  expect(needs("ip=dhcp")).toEqual({ why: "ip=dhcp", dhcp: true, needs: [] });
  expect(needs("ip=eth0:dhcp ip=eth1:off").why).toBe("ip=eth0:dhcp");
  expect(needs("rd.neednet=1")).toEqual({ why: "rd.neednet=1", dhcp: true, needs: [] });
  const fixed = "ip=10.0.0.5::10.0.0.1:24::eth0:none";
  expect(needs(fixed)).toEqual({ why: fixed, dhcp: false, needs: [] });
  expect(needs(`bond=b:eth0 bridge=r:b vlan=v.5:r ip=v.5:auto6`)).toEqual({
    why: "ip=v.5:auto6",
    dhcp: false,
    needs: [["ip=v.5:auto6", [["bonding"], ["bridge"], ["8021q"], ["ipv6"]], []]],
  });
});

test("remote unlock wants an address, unless there shall be none", () => {
  expect(needs("", true)).toEqual({ why: "remote unlock", dhcp: true, needs: [] });
  expect(needs("ip=off", true).why).toBeUndefined();
});

test.each([
  ["root=nfs:h:/x", [["nfs"], ["nfsv4", "nfsv3"]], [], true],
  ["root=nfs:h:/x,vers=3", [["nfs"], ["nfsv3"]], [], true],
  ["root=nfs4:h:/x", [["nfs"], ["nfsv4"]], [], true],
  ["root=nbd:h:export", [["nbd"]], ["nbd-client"], true],
  ["root=iscsi:h::::iqn.a:b", [["iscsi_tcp"], ["sd_mod"]], ["iscsistart"], true],
  ["root=virtiofs:t", [["virtiofs"]], [], false],
  ["root=9p:t", [["9p"], ["9pnet_virtio"]], [], false],
])("%s", (line, modules, programs, isOnNetwork) => {
  const found = needs(line);
  expect(found.needs.map(([, ...rest]) => rest)).toEqual([[modules, programs]]);
  expect(found.why !== undefined).toBe(isOnNetwork);
});
