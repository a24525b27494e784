/**
 * How an NFS root is named: dracut.cmdline(7) and its nfs-lib.sh, the kernel's admin-guide/nfs/nfsroot.rst and
 * fs/nfs/nfsroot.c, RFC 2224 for nfs://.
 */

import { text } from "../../lib/bytes.ts";
import { bracketed, cutHost } from "./host.ts";
import type { NfsRoot } from "./types.ts";

/** What the kernel and dracut take when nobody names a path. */
export const DEFAULT_PATH = "/tftpboot/%s";

/**
 * Reads what stands behind "nfs:" or "nfs4:": `[server:]path[:options]`, also with a comma before the options; or
 * `//server[:port]/path`; or `options:server:path`, as Anaconda has it. Empty leaves all to DHCP. A sentence when it
 * makes no sense.
 */
export function parseNfs(written: string, mayBe3: boolean): NfsRoot | string {
  if (written.startsWith("//")) return parseUrl(written.slice(2), mayBe3);
  const leading = /^([^:/[]*=[^:/[]*|(?:soft|hard|ro|rw|nolock)):([^]*)$/.exec(written);
  if (leading !== null) return withPath(leading[2] ?? "", mayBe3, leading[1] ?? "");
  return withPath(written, mayBe3, "");
}

/** Reads `server:/path[:options]` without anything in front; undefined when it is not of that form. */
export function parsePlainNfs(written: string): NfsRoot | string | undefined {
  const cut = cutHost(written);
  if (cut === undefined || cut.host === "" || !/^\/(?!dev\/|\/)/.test(cut.rest)) return undefined;
  return parseNfs(written, true);
}

/**
 * Reads the kernel's `nfsroot=[server:]path[,options]`. What is neither a path nor options nor begins with a server is
 * the name of a directory in /tftpboot.
 */
export function parseNfsRoot(written: string): NfsRoot | string {
  if (written === "") return { kind: "nfs", mayBe3: true, server: undefined, path: undefined, options: "" };
  const [first = "", ...options] = written.split(",");
  const rest = { mayBe3: true, kind: "nfs", options: options.join(",") } as const;
  if (first === "" || first === "default") return { ...rest, server: undefined, path: undefined };
  if (first.startsWith("/") || cutHost(first)?.rest.startsWith("/") === true) return parseNfs(written, true);
  const server = cutHost(first);
  if (server?.rest === "") return { ...rest, server: server.host, path: undefined };
  return { ...rest, server: undefined, path: `/tftpboot/${first}` };
}

/** The root as people read it: "nfs:server:/path". */
export function describeNfs({ mayBe3, server, path }: NfsRoot): string {
  const place = [...(server === undefined ? [] : [bracketed(server)]), ...(path === undefined ? [] : [path])];
  return text([mayBe3 ? "nfs" : "nfs4", ...place].join(":"));
}

function withPath(written: string, mayBe3: boolean, first: string): NfsRoot | string {
  if (written === "") return { kind: "nfs", mayBe3, server: undefined, path: undefined, options: first };
  const cut = cutHost(written);
  const server = cut === undefined || cut.host === "" ? undefined : cut.host;
  const rest = cut === undefined ? written : cut.rest;
  const [, path = "", behind = ""] = /^(\/[^:,]*)?(?:[:,]([^]*))?$/.exec(rest) ?? [];
  if (path === "" && rest !== "")
    return `${text(written)} names no directory of a server, which would begin with a slash.`;
  const options = [first, behind.replace(/:$/, "")].filter((list) => list !== "").join(",");
  return { kind: "nfs", mayBe3, server, path: path === "" ? undefined : path, options };
}

// nfs://server:/path, as Anaconda had it once, has an empty port.
function parseUrl(written: string, mayBe3: boolean): NfsRoot | string {
  const slash = written.indexOf("/");
  const cut = cutHost(`${slash < 0 ? written : written.slice(0, slash)}:`);
  const port = /^(\d{0,5}):?$/.exec(cut?.rest ?? "x")?.[1];
  if (cut === undefined || cut.host === "" || slash < 0 || port === undefined)
    return `nfs://${text(written)} is not of the form nfs://SERVER[:PORT]/PATH.`;
  const path = written.slice(slash);
  return { kind: "nfs", mayBe3, server: cut.host, path, options: port === "" ? "" : `port=${port}` };
}
