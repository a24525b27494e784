/** How a root on an iSCSI target is named: dracut.cmdline(7), parse_iscsi_root() of its net-lib.sh, and RFC 4173. */

import { text } from "../../lib/bytes.ts";
import { bracketed, cutHost } from "./host.ts";
import type { IscsiDisk, IscsiLogin } from "./types.ts";

/** What other words of the command line say for all targets: rd.iscsi.username= and its like. */
export interface IscsiDefaults {
  readonly group: number | undefined;
  readonly login: IscsiLogin;
}

const PORT = 3260;

/**
 * Reads what stands behind "iscsi:":
 * `[user:password[:user:password]@]server:[protocol]:[port]:[[iface]:[netdev]:][LUN]:target`, the second user and
 * password being those of the target. A sentence, with no password in it, when it makes no sense.
 */
export function parseIscsi(written: string, defaults: IscsiDefaults): IscsiDisk | string {
  // An @ behind the target's name belongs to that; an empty part in front lets one begin with it.
  const [, authority, body = written] = /^([^@]*)@([^]*:[^]*:[^]*:[^]*:[^]*)$/.exec(written) ?? [];
  const login = parseLogin(authority, defaults.login);
  if (typeof login === "string") return login;
  const cut = cutHost(body);
  if (cut === undefined || cut.host === "")
    return `iscsi:${text(body)} names no server: without one the target would have to be discovered, which rdinit does not do.`;
  const { front, target } = cutTarget(cut.rest);
  const [, port = "", ...middle] = front;
  const lun = middle.pop() ?? "";
  const netdev = middle.pop();
  if (target === "" || middle.length > 1)
    return `iscsi:${text(body)} is not of the form iscsi:SERVER:[PROTOCOL]:[PORT]:[LUN]:TARGET.`;
  const numbers = { port: readNumber(port, PORT, 65_535), lun: readNumber(lun, 0, 16_383) };
  if (numbers.port === undefined || numbers.port === 0)
    return `iscsi:${text(body)} names a port that is none.`;
  if (numbers.lun === undefined) return `iscsi:${text(body)} names a LUN that is none.`;
  return {
    kind: "iscsi",
    server: cut.host,
    port: numbers.port,
    lun: numbers.lun,
    group: defaults.group ?? 1,
    target,
    netdev: netdev === "" ? undefined : netdev,
    login,
  };
}

/** The disk as people read it, without passwords: "iscsi:server::::target". */
export function describeIscsi({ server, port, lun, target }: IscsiDisk): string {
  const numbers = [port === PORT ? "" : String(port), lun === 0 ? "" : String(lun)];
  return text(["iscsi", bracketed(server), "", ...numbers, target].join(":"));
}

/** The arguments of iscsistart(8) for a login at this address, by this name of ours. */
export function iscsiArguments(
  disk: IscsiDisk,
  address: string,
  initiator: string,
  params: readonly string[],
): string[] {
  const { login, netdev } = disk;
  const words: readonly (readonly [option: string, value: string | undefined])[] = [
    ["-i", initiator],
    ["-t", disk.target],
    ["-g", String(disk.group)],
    ["-a", address],
    ["-p", String(disk.port)],
    ["-u", login.user],
    ["-w", login.password],
    ["-U", login.userIn],
    ["-W", login.passwordIn],
    ["-P", netdev === undefined ? undefined : `iface.net_ifacename=${netdev}`],
    ...params.map((param) => ["-P", param] as const),
  ];
  return words.flatMap(([option, value]) => (value === undefined ? [] : [option, value]));
}

function parseLogin(authority: string | undefined, login: IscsiLogin): IscsiLogin | string {
  if (authority === undefined || authority === "") return login;
  const parts = authority.split(":");
  if (parts.length !== 2 && parts.length !== 4)
    return "What stands before the @ of iscsi: is neither USER:PASSWORD nor USER:PASSWORD:USER:PASSWORD.";
  const [user, password, userIn, passwordIn] = parts;
  return parts.length === 2 ? { ...login, user, password } : { user, password, userIn, passwordIn };
}

// A name that tells by itself that it is one may hold colons and has all other fields in front of it.
function cutTarget(rest: string): { readonly front: readonly string[]; readonly target: string } {
  const named = /^([^]*?):((?:iqn|eui|naa)\.[^]+)$/.exec(rest);
  if (named !== null) return { front: (named[1] ?? "").split(":"), target: named[2] ?? "" };
  const fields = rest.split(":");
  const hasInterface =
    fields.length > 5 && `${fields[2]}${fields[3]}` !== "" && /^\d*$/.test(fields[4] ?? "");
  const front = fields.slice(0, hasInterface ? 5 : 3);
  return { front, target: fields.slice(front.length).join(":") };
}

function readNumber(field: string, unsaid: number, most: number): number | undefined {
  if (field === "") return unsaid;
  return /^\d{1,5}$/.test(field) && Number(field) <= most ? Number(field) : undefined;
}
