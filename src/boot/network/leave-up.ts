/** The root is on the network: what the real system is told, so that it takes the interfaces over as they are. */

import { SysError, list, mkdirs, writeFile } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { familyOf } from "../../network/address.ts";
import { formatKlibcConf } from "../../network/klibc-conf.ts";
import { type Boot, newRoot } from "../context.ts";
import { resolveInRoot } from "../mount/resolve.ts";
import type { Interface } from "./interface.ts";
import type { Names } from "./resolver.ts";

/** Writes below /run, which the real system gets. Never throws: without it the system starts as well. */
export function tellRealSystem(boot: Boot, interfaces: readonly Interface[], names: Names): void {
  try {
    keepConfiguration(boot);
    keepUntilTheEnd(boot);
    for (const { name, addresses, wish, lease } of interfaces) {
      const own = addresses.find(({ address }) => familyOf(address) === 4);
      if (own === undefined) continue;
      const gateways = [...(lease?.routers ?? []), ...wish.gateways];
      const content = formatKlibcConf({
        ...names,
        ...own,
        name,
        gateway: gateways.find((gateway) => familyOf(gateway) === 4),
        nameservers: names.nameservers.filter((server) => familyOf(server) === 4),
        lease: lease?.family === 4 ? lease : undefined,
      });
      writeFile(boot.sys, `/run/net-${name}.conf`, content);
    }
  } catch (error) {
    if (!(error instanceof SysError) && !(error instanceof UserError)) throw error;
    boot.log.warning(`The real system is not told how the network is configured: ${describe(error)}.`);
  }
}

/**
 * systemd-networkd removes addresses that it has not set when it starts, and from version 251 on leaves them alone only
 * when it sees that the root is a network's filesystem: not when that is a disk of the network (systemd.network(5),
 * KeepConfiguration=). So each of its files that the root has says so, whichever is for this interface.
 */
function keepConfiguration({ sys, log }: Boot): void {
  const files = new Set<string>();
  for (const directory of ["/etc/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network"]) {
    const path = resolveInRoot(sys, newRoot, directory);
    if (path === undefined) continue;
    for (const { name } of list(sys, path)) if (name.endsWith(".network")) files.add(name);
  }
  for (const file of files) {
    const directory = `/run/systemd/network/${file}.d`;
    mkdirs(sys, directory);
    writeFile(sys, `${directory}/50-rdinit.conf`, "[Network]\nKeepConfiguration=yes\n");
  }
  if (files.size > 0)
    log.debug(`systemd-networkd is told to keep what is configured: ${[...files].map(text).join(", ")}`);
}

/**
 * Debian's ifupdown under systemd takes its interfaces down when the system ends, whatever is mounted, and the machine
 * would hang. Its script for other inits looks for network filesystems first (networking.service, /etc/init.d/networking).
 */
function keepUntilTheEnd({ sys, log }: Boot): void {
  const units = ["/usr/lib/systemd/system", "/lib/systemd/system"].map(
    (folder) => `${folder}/networking.service`,
  );
  if (units.every((unit) => resolveInRoot(sys, newRoot, unit) === undefined)) return;
  const directory = "/run/systemd/system/networking.service.d";
  mkdirs(sys, directory);
  // An empty list.
  writeFile(sys, `${directory}/50-rdinit.conf`, "[Service]\nExecStop=\n");
  log.debug("networking.service is told to leave the interfaces up when it is stopped");
}
