/** ip=link-local: an address of 169.254.0.0/16 (RFC 3927) and the link-local one of IPv6, for links without any server. */

import { setAddress } from "./configure.ts";
import { tellOfConflict } from "./conflict.ts";
import type { PartHost, Report } from "./part.ts";

/** Made from the MAC address, so that it is the same at each boot. */
export async function runLinkLocal(host: PartHost, report: Report): Promise<void> {
  const address = addressFor(host.look()?.mac ?? "");
  setAddress(host.session.kernel, host.link, { address, prefix: 16 });
  host.keep({ address, prefix: 16 });
  void tellOfConflict(host.session.boot, host.name, address);
  report("done");
}

/** From 169.254.1.0 to 169.254.254.255: the first and the last 256 are reserved. */
export function addressFor(mac: string): string {
  const hash = Number(Bun.hash.crc32(mac)) % (254 * 256);
  return `169.254.${1 + Math.floor(hash / 256)}.${hash % 256}`;
}
