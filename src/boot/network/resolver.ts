/** Nameservers and the host name, for the programs of the early userspace: resolv.conf(5), hostname(7). */

import { AT_FDCWD, SysError, isErrno, mkdirs, readTextIfThere, writeFile } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import { type Resolving, formatResolvConf, planResolving } from "../../network/resolv-conf.ts";
import type { Method } from "../../network/types.ts";
import { startedFrom } from "../handover/oldroot.ts";
import type { Interface } from "./interface.ts";
import type { Session } from "./session.ts";

/** Names, for the programs of the early userspace. */
export interface Names extends Resolving {
  readonly hostName: string | undefined;
}

/**
 * Those of the command line first, then those of the interfaces in their order: what DHCP says counts before what routers
 * advertise (RFC 8106 section 5.3.1).
 */
export function collectNames(session: Session, interfaces: readonly Interface[]): Names {
  const { settings } = session;
  const leases = interfaces.flatMap(({ allLeases }) => allLeases);
  const routers = interfaces
    .filter(({ wish }) => wish.methods.some((method) => BY_ROUTERS.has(method)))
    .map(({ index }) => session.advertised(index));
  const wishes = interfaces.map(({ wish }) => wish);
  const named = [...wishes, ...leases].find(({ hostName }) => hostName !== undefined);
  return { ...planResolving(settings, wishes, [...leases, ...routers]), hostName: named?.hostName };
}

/** Writes /etc/resolv.conf and sets the host name, both only of the early userspace. Never throws for what the kernel refuses. */
export class Resolver {
  private readonly session: Session;
  private written = "";
  private hostName: string | undefined;

  constructor(session: Session) {
    this.session = session;
  }

  use({ hostName, ...resolving }: Names): void {
    const { boot } = this.session;
    try {
      if (hostName !== undefined && hostName !== this.hostName) {
        this.session.setKnob("/proc/sys/kernel/hostname", hostName);
        this.hostName = hostName;
      }
      const content = formatResolvConf(resolving);
      // A boot partition's /etc is the real system's business.
      if (content !== this.written && startedFrom(boot.sys) === "rootfs") this.write(content);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      boot.log.warning(`Names of machines may not be found: ${describe(error)}.`);
    }
  }

  private write(content: string): void {
    const { boot, undo } = this.session;
    const { sys } = boot;
    if (this.written === "") {
      mkdirs(sys, "/etc");
      const before = readTextIfThere(sys, FILE);
      undo.add(`put ${FILE} back`, () => {
        if (before !== undefined) writeFile(sys, FILE, before);
        else unlinkIfThere(this.session);
      });
    }
    // Never half of it: hooks and other programs may read it just now.
    writeFile(sys, `${FILE}.new`, content);
    sys.rename(`${FILE}.new`, FILE);
    this.written = content;
  }
}

function unlinkIfThere({ boot: { sys } }: Session): void {
  try {
    sys.unlinkat(AT_FDCWD, FILE, 0);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

/** The ways to addresses that listen to routers. */
const BY_ROUTERS: ReadonlySet<Method> = new Set(["auto6", "either6", "dhcp6"]);

const FILE = "/etc/resolv.conf";
