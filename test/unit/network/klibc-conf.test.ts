import { expect, test } from "bun:test";
import { formatKlibcConf } from "../../../src/network/klibc-conf.ts";

const link = {
  name: "eth0",
  address: "10.0.2.15",
  prefix: 20,
  gateway: "10.0.2.2",
  nameservers: ["10.0.2.3"],
  search: ["a.test", "b.test"],
  hostName: undefined,
  lease: undefined,
};

test("a fixed address, as initramfs-tools tells of it", () => {
  expect(formatKlibcConf(link).split("\n")).toEqual([
    "DEVICE='eth0'",
    "PROTO='none'",
    "IPV4PROTO='none'",
    "IPV4ADDR='10.0.2.15'",
    "IPV4NETMASK='255.255.240.0'",
    "IPV4GATEWAY='10.0.2.2'",
    "IPV4DNS0='10.0.2.3'",
    "IPV4DNS1='0.0.0.0'",
    "HOSTNAME=''",
    "DNSDOMAIN='a.test'",
    "ROOTSERVER='0.0.0.0'",
    "ROOTPATH=''",
    "DHCPLEASETIME='0'",
    "DOMAINSEARCH='a.test b.test'",
    "",
  ]);
});

test("what a server said is no command for a shell", async () => {
  const rootPath = "10.0.2.2:/a'; echo $HOME `id`";
  const lease = {
    family: 4,
    address: link.address,
    prefix: 20,
    routers: [],
    routes: [],
    nameservers: [],
  } as const;
  const content = formatKlibcConf({
    ...link,
    lease: { ...lease, rootPath, seconds: 600, server: "10.0.2.9" },
  });
  const shell = Bun.spawn([
    "sh",
    "-c",
    `${content}printf '%s\n' "$ROOTPATH" "$ROOTSERVER" "$DHCPLEASETIME" "$PROTO"`,
  ]);
  expect(await new Response(shell.stdout).text()).toBe(`${rootPath}\n10.0.2.9\n600\ndhcp\n`);
});
