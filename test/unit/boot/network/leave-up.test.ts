import { expect, test } from "bun:test";
import type { Interface } from "../../../../src/boot/network/interface.ts";
import { tellRealSystem } from "../../../../src/boot/network/leave-up.ts";
import { list, readText } from "../../../../syscalls/index.ts";
import { type Tree, fakeKernel, symlink } from "../../../../syscalls/fake.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

const names = { nameservers: ["fd77::1", "10.77.0.1"], search: ["test"], hostName: "web" };
const eth0 = {
  name: "eth0",
  addresses: [
    { address: "fd77::5", prefix: 128 },
    { address: "10.77.0.42", prefix: 24 },
  ],
  wish: { gateways: [] },
  lease: { family: 4, routers: ["10.77.0.1"], seconds: 600 },
} as unknown as Interface;

function told(sysroot: Tree) {
  const { sys } = fakeKernel({ rootfs: { sysroot, run: {} } });
  const { boot, lines } = bootOn(sys, "");
  tellRealSystem(boot, [eth0], names);
  return { sys, lines };
}

test("an interface is told as initramfs-tools does it", () => {
  const { sys, lines } = told({});
  const conf = readText(sys, "/run/net-eth0.conf");
  for (const line of [
    "DEVICE='eth0'",
    "PROTO='dhcp'",
    "IPV4ADDR='10.77.0.42'",
    "IPV4GATEWAY='10.77.0.1'",
    "IPV4DNS0='10.77.0.1'",
    "HOSTNAME='web'",
  ])
    expect(conf).toContain(`${line}\n`);
  expect(list(sys, "/run").map(({ name }) => name)).toEqual(["net-eth0.conf"]);
  expect(lines).toEqual([]);
});

test("systemd-networkd keeps what is configured, whichever of its files is for the interface", () => {
  const { sys } = told({
    etc: { systemd: { network: symlink("/usr/lib/other") } },
    usr: {
      lib: {
        other: { "50-dhcp.network": "", "50-br0.netdev": "" },
        systemd: { network: { "80-all.network": "" } },
      },
    },
  });
  expect(list(sys, "/run/systemd/network").map(({ name }) => name)).toEqual([
    "50-dhcp.network.d",
    "80-all.network.d",
  ]);
  expect(readText(sys, "/run/systemd/network/50-dhcp.network.d/50-rdinit.conf")).toBe(
    "[Network]\nKeepConfiguration=yes\n",
  );
});

test("ifupdown's service leaves the interfaces up at the end, where there is one", () => {
  const conf = "/run/systemd/system/networking.service.d/50-rdinit.conf";
  const { sys } = told({ usr: { lib: { systemd: { system: { "networking.service": "" } } } } });
  expect(readText(sys, conf)).toBe("[Service]\nExecStop=\n");
});
