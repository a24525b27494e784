/**
 * /run/net-INTERFACE.conf, in which initramfs-tools tells the real system of an interface, as klibc's ipconfig writes it
 * (usr/kinit/ipconfig/main.c): cloud-init and others read it.
 */

import { formatAddress, prefixMask } from "./address.ts";
import type { Lease } from "./types.ts";

/** An interface of IPv4 that is configured. */
export interface ConfiguredLink {
  readonly name: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string | undefined;
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly hostName: string | undefined;
  readonly lease: Lease | undefined;
}

/** The file's content: lines that a shell can read. */
export function formatKlibcConf(link: ConfiguredLink): string {
  const { name, address, prefix, gateway, nameservers, search, hostName, lease } = link;
  const rows: readonly (readonly [key: string, value: string])[] = [
    ["DEVICE", name],
    ["PROTO", lease === undefined ? "none" : "dhcp"],
    ["IPV4PROTO", lease === undefined ? "none" : "dhcp"],
    ["IPV4ADDR", address],
    ["IPV4NETMASK", formatAddress(prefixMask(prefix, 4))],
    ["IPV4GATEWAY", gateway ?? "0.0.0.0"],
    ["IPV4DNS0", nameservers[0] ?? "0.0.0.0"],
    ["IPV4DNS1", nameservers[1] ?? "0.0.0.0"],
    ["HOSTNAME", hostName ?? ""],
    ["DNSDOMAIN", lease?.domain ?? search[0] ?? ""],
    ["ROOTSERVER", lease?.nextServer ?? lease?.server ?? "0.0.0.0"],
    ["ROOTPATH", lease?.rootPath ?? ""],
    ["DHCPLEASETIME", String(lease?.seconds ?? 0)],
    ["DOMAINSEARCH", search.join(" ")],
  ];
  return rows.map(([key, value]) => `${key}=${quoted(value)}\n`).join("");
}

// What a server said must not become a command of whoever reads the file by his shell.
function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
