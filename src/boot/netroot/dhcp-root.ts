/** What the root's name leaves open, taken from the DHCP server's answer: dracut's nfsroot_from_dhcp(), nfsroot.rst. */

import type { NetworkState } from "../../network/types.ts";
import { UserError } from "../../lib/errors.ts";
import { parseRootPath } from "./forms.ts";
import type { IscsiDefaults } from "./iscsi-form.ts";
import { DEFAULT_PATH, describeNfs } from "./nfs-form.ts";
import type { NetRoot, NfsRoot } from "./types.ts";

/** An NFS root of which nothing is left open. */
export interface WholeNfsRoot extends NfsRoot {
  readonly server: string;
  readonly path: string;
}

/**
 * The root that a DHCP server named, that of the first interface that has one.
 * @throws UserError when none did, or it makes no sense
 */
export function rootOfLease(facts: NetworkState, iscsi: IscsiDefaults): Exclude<NetRoot, { kind: "dhcp" }> {
  const written = rootPathOf(facts);
  if (written === undefined)
    throw new UserError(
      "No DHCP server named a root: its answer has no root-path (option 17).",
      "Name the root by root=, or have the server send root-path.",
    );
  const root = parseRootPath(written, iscsi);
  if (typeof root === "string")
    throw new UserError(`The root-path of the DHCP server makes no sense: ${root}`);
  if (root.kind === "dhcp") throw new UserError("The root-path of the DHCP server leads nowhere.");
  return root;
}

/** What else is known of the machine. */
export interface OwnFacts {
  /** Undefined when it has none yet: then its address stands for "%s" in the path. */
  readonly hostname: string | undefined;
  /** The server's field of ip=. */
  readonly server: string | undefined;
}

/**
 * The NFS root with its server and its path. What it lacks is that of a root-path of NFS, or else the server is that of
 * ip=, the one that a DHCP server names for booting, or the DHCP server itself, and the path is the kernel's default.
 * @throws UserError when no server is known
 */
export function completeNfs(root: NfsRoot, facts: NetworkState, own: OwnFacts): WholeNfsRoot {
  const named = root.server === undefined || root.path === undefined ? nfsOfLease(facts) : undefined;
  const lease = facts.interfaces.find((one) => one.lease !== undefined)?.lease;
  const server = root.server ?? own.server ?? named?.server ?? lease?.nextServer ?? lease?.server;
  if (server === undefined)
    throw new UserError(
      `The root ${describeNfs(root)} names no server, and no DHCP server did.`,
      "Name it: root=nfs:SERVER:PATH.",
    );
  const path = root.path ?? named?.path ?? DEFAULT_PATH;
  const options = [...(root.path === undefined ? [named?.options ?? ""] : []), root.options];
  const address = facts.interfaces.flatMap(({ addresses }) => addresses)[0]?.replace(/\/.*$/, "");
  return {
    ...root,
    server,
    path: path.replaceAll("%s", own.hostname ?? address ?? "%s"),
    options: options.filter((list) => list !== "").join(","),
  };
}

function nfsOfLease(facts: NetworkState): NfsRoot | undefined {
  const written = rootPathOf(facts);
  const root = written === undefined ? undefined : parseRootPath(written, NO_DEFAULTS);
  return typeof root === "object" && root.kind === "nfs" ? root : undefined;
}

const NO_DEFAULTS: IscsiDefaults = {
  group: undefined,
  login: { user: undefined, password: undefined, userIn: undefined, passwordIn: undefined },
};

function rootPathOf({ interfaces }: NetworkState): string | undefined {
  return interfaces.map(({ lease }) => lease?.rootPath).find((path) => path !== undefined && path !== "");
}
