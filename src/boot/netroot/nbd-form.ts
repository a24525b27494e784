/** How a root on an NBD server is named: dracut.cmdline(7) and its nbdroot.sh. */

import { text } from "../../lib/bytes.ts";
import { bracketed, cutHost } from "./host.ts";
import type { NbdDisk } from "./types.ts";

/**
 * Reads what stands behind "nbd:": `server:port[:fstype[:mountopts[:nbdopts]]]`, the name of an export in place of the
 * port or behind it and a slash. A sentence when it makes no sense.
 */
export function parseNbd(written: string): NbdDisk | string {
  const cut = cutHost(written);
  if (cut === undefined || cut.host === "")
    return `nbd:${text(written)} names no server: it is nbd:SERVER:PORT or nbd:SERVER:EXPORT.`;
  const [place = "", type = "", flags = "", ...client] = cut.rest.split(":");
  if (place === "") return `nbd:${text(written)} names neither a port nor an export of the server.`;
  const [, digits, behind] = /^(\d+)(?:\/([^]+))?$/.exec(place) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535))
    return `nbd:${text(written)} names the port ${digits}, which is none.`;
  return {
    kind: "nbd",
    server: cut.host,
    port,
    exportName: port === undefined ? place : behind,
    type: type === "" || type === "auto" ? undefined : type,
    flags: flags === "" ? undefined : flags,
    client: client
      .join(":")
      .split(",")
      .filter((option) => option !== ""),
  };
}

/** The disk as people read it: "nbd:server:export". */
export function describeNbd({ server, port, exportName }: NbdDisk): string {
  const place = [port, exportName].filter((part) => part !== undefined).join("/");
  return text(`nbd:${bracketed(server)}:${place}`);
}

/** The arguments of nbd-client(8) for the disk at this address. It is to serve `node`. */
export function nbdArguments(disk: NbdDisk, address: string, node: string): string[] {
  return [
    address,
    ...(disk.port === undefined ? [] : [String(disk.port)]),
    node,
    ...["-name", disk.exportName ?? ""],
    // A client that stays, as it does where it can't use netlink, is spared by what ends all processes.
    ...["-persist", "-systemd-mark"],
    ...disk.client.flatMap(clientOption),
  ];
}

// "timeout=10" is nbd-client's "-timeout 10", and "bs=" what its older releases called "-block-size".
function clientOption(option: string): string[] {
  const [name = "", ...value] = option.replace(/^-+/, "").split("=");
  const known = name === "bs" ? "block-size" : name;
  return [`-${known}`, ...(value.length === 0 ? [] : [value.join("=")])];
}
