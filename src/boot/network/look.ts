/** What can be seen of the network, and of what needs it, without bringing anything up. */

import { type Syscalls, readText } from "../../../syscalls/index.ts";
import { namesIn, readAttribute } from "../devices/attributes.ts";

/** The names of the links that are up: what the kernel itself has configured (ip=) when nothing of ours ran yet. */
export function linksThatAreUp(sys: Syscalls): ReadonlySet<string> {
  const isUp = (name: string): boolean => {
    const flags = Number(readAttribute(sys, `/sys/class/net/${name}/flags`));
    return (flags & IFF_UP) !== 0;
  };
  return new Set(namesIn(sys, "/sys/class/net").filter(isUp));
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
