/** Attaches a disk of an NBD server, by nbd-client(8). Where that can use netlink no process of it stays. */

import { readAttribute } from "../devices/attributes.ts";
import type { runChild } from "../children/children.ts";
import { type Reason, attach } from "./attach.ts";
import type { NetMeans } from "./means.ts";
import { describeNbd, nbdArguments } from "./nbd-form.ts";
import type { NbdDisk } from "./types.ts";

/**
 * Attaches the disk at this address as the device of this number, unless it is attached already; the kernel's name of
 * the device.
 * @throws UserError
 */
export async function attachNbd(
  means: NetMeans,
  disk: NbdDisk,
  address: string,
  number: number,
  run?: typeof runChild,
): Promise<string> {
  const name = `nbd${number}`;
  const { sys, log } = means.boot;
  await means.loadModules(["nbd"]);
  // At an earlier try, which failed at something else.
  if (readAttribute(sys, `/sys/class/block/${name}/pid`) !== undefined) return name;
  const argv = ["nbd-client", ...nbdArguments(disk, address, `/dev/${name}`)] as const;
  await attach(means, { argv, disk: describeNbd(disk), server: disk.server, read: readLine }, run);
  log.info(`attached ${describeNbd(disk)} as /dev/${name}`);
  return name;
}

// "Negotiation: ..Error: Socket failed: No route to host" is of connect(2). All else is the server's word about the export.
function readLine(line: string): Reason | undefined {
  const [, why] = /Error: (.*?)\.?$/.exec(line) ?? [];
  return why === undefined ? undefined : { why, mayPass: why.startsWith("Socket failed: ") };
}
