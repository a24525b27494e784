/** What we and hooks have made of the network is undone before the hand-over, unless the root is there. */

import { SysError, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import {
  type LinkAddress,
  Rtnetlink,
  changeLink,
  readAddresses,
  readLinks,
  removeAddress,
} from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { stopOthers } from "../handover/handover.ts";
import { linksThatAreUp } from "./look.ts";

/**
 * Takes down the links that are up and were not at the start, and removes their addresses, so that the real system meets
 * them as they were. Ends all other processes first: a DHCP client gives its lease back. Never throws.
 */
export async function takeDown(
  boot: Boot,
  before: ReadonlySet<string>,
  rootIsOnNetwork: boolean,
): Promise<void> {
  const { sys, log } = boot;
  const ours = new Set([...linksThatAreUp(sys)].filter((name) => !before.has(name)));
  if (ours.size === 0) return;
  const names = [...ours].map(text).join(", ");
  if (rootIsOnNetwork) return log.info(`left up, as the root is on the network: ${names}`);
  await stopOthers(boot);
  try {
    reset(sys, ours);
    log.info(`took the network down: ${names}`);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    log.warning(`The network is left to the real init as it is (${names}): ${describe(error)}.`);
  }
}

function reset(sys: Syscalls, names: ReadonlySet<string>): void {
  const kernel = new Rtnetlink(sys);
  try {
    for (const { index } of readLinks(kernel).filter(({ name }) => names.has(name))) {
      for (const address of readAddresses(kernel).filter(({ link }) => link === index))
        remove(kernel, address);
      changeLink(kernel, index, { isUp: false });
    }
  } finally {
    kernel.close();
  }
}

// Secondary addresses go with the one that they belong to.
function remove(kernel: Rtnetlink, address: LinkAddress): void {
  try {
    removeAddress(kernel, address);
  } catch (error) {
    if (!isErrno(error, "EADDRNOTAVAIL")) throw error;
  }
}
