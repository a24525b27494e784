/** What we and hooks have made of the network is undone before the hand-over, unless the root is there. */

import { SysError, type Syscalls, isErrno, readText } from "../../../syscalls/index.ts";
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
import { namesIn, readAttribute } from "../attributes.ts";
import type { Boot } from "../context.ts";
import { stopOthers } from "../handover/handover.ts";

/** The names of the links that are up: what the kernel itself has configured (ip=) when nothing of ours ran yet. */
export function linksThatAreUp(sys: Syscalls): ReadonlySet<string> {
  const isUp = (name: string): boolean => {
    const flags = Number(readAttribute(sys, `/sys/class/net/${name}/flags`));
    return (flags & IFF_UP) !== 0;
  };
  return new Set(namesIn(sys, "/sys/class/net").filter(isUp));
}

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

/**
 * Whether a filesystem or a block device is another machine's and needs the network to stay: the root's, what lies below
 * an overlay, or /usr.
 */
export function isRootOnNetwork(sys: Syscalls): boolean {
  const hasDevices = (path: string, name: RegExp, attribute: string): boolean =>
    namesIn(sys, path).some(
      (entry) => name.test(entry) && readAttribute(sys, `${path}/${entry}/${attribute}`) !== undefined,
    );
  return (
    readText(sys, "/proc/self/mountinfo")
      .split("\n")
      .map((line) => line.split(" "))
      // Also what an overlay lies over, and what is mounted in the root.
      .some((fields) => isRemote(fields.slice(fields.indexOf("-") + 1))) ||
    hasDevices("/sys/class/block", /^nbd\d+$/, "pid") ||
    namesIn(sys, "/sys/class/iscsi_session").length > 0
  );
}

// Type, source and the filesystem's own options.
function isRemote([type = "", , options = ""]: readonly string[]): boolean {
  return REMOTE.test(type) || (type === "9p" && options.split(",").includes("trans=tcp"));
}

const REMOTE = /^(?:nfs4?|cifs|smb3|ceph|afs|fuse\.sshfs|fuse\.glusterfs)$/;
const IFF_UP = 1;
