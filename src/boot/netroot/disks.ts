/** Disks of the network, attached one after the other. */

import type { DeviceRef } from "../devices/deviceref.ts";
import { attachIscsi } from "./iscsi.ts";
import { type NetworkView, findAddress } from "./lookup.ts";
import type { NetMeans } from "./means.ts";
import { attachNbd } from "./nbd.ts";
import type { IscsiSettings } from "./settings.ts";
import type { NetDisk } from "./types.ts";

/**
 * Attaches the disks, those excepted that are attached already; where each is.
 * @throws UserError for the first that can't be attached
 */
export async function attachDisks(
  means: NetMeans,
  disks: Iterable<NetDisk>,
  network: NetworkView,
  iscsi: IscsiSettings,
): Promise<ReadonlyMap<NetDisk, DeviceRef>> {
  const places = new Map<NetDisk, DeviceRef>();
  let nbds = 0;
  for (const disk of disks) {
    const address = await findAddress(means.boot, disk.server, network);
    const name =
      disk.kind === "nbd"
        ? await attachNbd(means, disk, address, nbds++)
        : await attachIscsi(means, disk, address, iscsi);
    places.set(disk, { kind: "path", name });
  }
  return places;
}
