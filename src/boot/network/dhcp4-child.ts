/**
 * DHCPv4 by busybox's udhcpc, which runs on and renews the lease. It changes nothing itself: the script that it calls
 * prints each event in one line, and process 1 acts on it.
 *
 * udhcpc and no client of our own, as it is in every image that holds busybox: DHCPv4 needs raw packets before there is an
 * address, which is all that a client of ours would save a process for.
 */

import {
  MFD_CLOEXEC,
  SIGCONT,
  SIGTERM,
  SIGUSR2,
  type Syscalls,
  exists,
  writeAll,
} from "../../../syscalls/index.ts";
import { text, toBytes } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { type ChildEnd, describeEnd, within } from "../children/children.ts";
import { type Daemon, startDaemon } from "../children/daemon.ts";
import { BUSYBOX, applet } from "./conflict.ts";
import { type LeaseEvent, LeaseLines, leaseScript } from "./lease-event.ts";
import type { PartHost } from "./part.ts";

export interface Dhcp4Client {
  /** How it ended, when it did. */
  readonly end: ChildEnd | undefined;
  /** What it printed last, a byte string. */
  output(): string;
  /** Ends it; with `release` it gives the lease back before. Bounded, and never throws. */
  stop(release: boolean): Promise<void>;
}

/**
 * Starts the client on an interface that is up; `event` gets what it does.
 * @throws UserError when it can't be started
 */
export function startDhcp4(host: PartHost, event: (event: LeaseEvent) => void): Dhcp4Client {
  const { boot, settings } = host.session;
  const title = `the DHCP client of ${text(host.name)}`;
  const program = applet(boot, "udhcpc");
  if (program === undefined) throw new UserError("DHCP needs udhcpc, which is not in the image.", whatToPack);
  const script = packScript(boot.sys);
  let released = Promise.withResolvers<void>();
  let end: ChildEnd | undefined;
  const lines = new LeaseLines();
  const daemon = startDaemon(boot, {
    argv: [...program, ...options(host, settings.dhcp.vendorClass), "-s", script.path],
    name: "udhcpc",
    title,
    show: "never",
    hear: (line) => {
      const parsed = lines.push(line);
      if (parsed === undefined) return boot.log.debug(`udhcpc: ${line}`);
      if (parsed === "more") return;
      if (parsed.kind === "deconfig") released.resolve();
      event(parsed);
    },
  });
  if (typeof daemon === "string") {
    boot.sys.close(script.fd);
    throw new UserError(`udhcpc ${daemon}.`, whatToPack);
  }
  void daemon.ended.then((how) => {
    end = how;
    boot.sys.close(script.fd);
    if (!host.session.hasEnded) boot.log.debug(`${title} ${describeEnd(how)}`);
    host.session.wake();
  });
  return {
    get end() {
      return end;
    },
    output: () => daemon.output(),
    stop: async (release) => {
      if (end !== undefined) return;
      if (release) {
        // It calls the script when the message is under way.
        released = Promise.withResolvers();
        daemon.signal(SIGUSR2);
        await Promise.race([within(released.promise, release_ms), daemon.ended]);
      }
      await finish(daemon);
    },
  };
}

// A message, and a script that prints a line.
const release_ms = 1000;

async function finish(daemon: Daemon): Promise<void> {
  daemon.signal(SIGTERM);
  daemon.signal(SIGCONT);
  if (!(await within(daemon.ended, 500))) await daemon.end();
}

const whatToPack =
  "Pack a busybox that has it, such as Debian's busybox-static (`rdinit image --network` does), or give an address by ip=.";

/** -f: in the foreground; -t, -T and -A: five questions two seconds apart, then a pause, for ever. */
function options(host: PartHost, vendorClass: string | undefined): string[] {
  const { hostName, clientId } = host.wish;
  return [
    ...["-f", "-i", host.name, "-t", "5", "-T", "2", "-A", "5"],
    // What it does not ask for by itself.
    ...["mtu", "search", "staticroutes", "msstaticroutes", "rootpath"].flatMap((name) => ["-O", name]),
    ...(hostName === undefined ? [] : ["-x", `hostname:${hostName}`]),
    ...(vendorClass === undefined ? [] : ["-V", vendorClass]),
    // Without one of its own the machine is known by its card: udhcpc would make up an identifier which the real system's
    // client does not have (networkd's is of the machine's ID), and a server would give the two an address each.
    "-C",
    ...(clientId === undefined ? [] : ["-x", `0x3d:${Buffer.from(clientId).toString("hex")}`]),
  ];
}

// In memory, so that nothing of it is left anywhere and the root may be read-only. It goes when the client has ended.
function packScript(sys: Syscalls): { fd: number; path: string } {
  const fd = sys.memfd("udhcpc-script", MFD_CLOEXEC);
  // An image without a rescue shell has busybox all the same, for udhcpc.
  writeAll(sys, fd, toBytes(leaseScript(exists(sys, "/bin/sh") ? "/bin/sh" : `${BUSYBOX} sh`)));
  return { fd, path: `/proc/${sys.getpid()}/fd/${fd}` };
}
