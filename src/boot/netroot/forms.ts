/** root= and its like where they name no device: the forms of dracut.cmdline(7) and the kernel's nfsroot.rst. */

import { text } from "../../lib/bytes.ts";
import { type IscsiDefaults, describeIscsi, parseIscsi } from "./iscsi-form.ts";
import { describeNbd, parseNbd } from "./nbd-form.ts";
import { describeNfs, parseNfs, parseNfsRoot, parsePlainNfs } from "./nfs-form.ts";
import type { NetRoot, ShareRoot } from "./types.ts";

/** What else of the command line decides how root= is read. */
export interface FormContext {
  /** The first of rootfstype=. */
  readonly type: string | undefined;
  /** nfsroot= */
  readonly nfsroot: string | undefined;
  readonly iscsi: IscsiDefaults;
}

/**
 * The root elsewhere that `root=` names; undefined when it has none of the forms that lead there. A sentence when it
 * begins as one and makes no sense.
 */
export function parseNetRoot(written: string, context: FormContext): NetRoot | string | undefined {
  const { type, nfsroot, iscsi } = context;
  if (written === "/dev/nfs") return parseNfsRoot(nfsroot ?? "");
  if (type === "virtiofs" || type === "9p") return parseShare(type, written);
  const [, scheme, rest = ""] = /^([a-z0-9]+)(?::([^]*))?$/.exec(written) ?? [];
  switch (scheme) {
    case "nfs":
    case "nfs4":
      return parseNfs(rest, scheme === "nfs" && type !== "nfs4");
    case "virtiofs":
      return parseShare("virtiofs", rest);
    case "virtfs":
    case "9p":
      return parseShare("9p", rest);
    case "nbd":
      return parseNbd(rest);
    case "iscsi":
      return rest === "" ? undefined : parseIscsi(rest, iscsi);
    case "dhcp":
    case "dhcp6":
      return rest === "" ? { kind: "dhcp" } : undefined;
    case "cifs":
    case "smb":
      return `${scheme}: is not mounted by rdinit itself. A hook of mount may do it (README.md, "Hooks").`;
    case "live":
    case "bind":
      return undefined;
  }
  if (type === "nfs" || type === "nfs4") return parseNfs(written, type === "nfs");
  return parsePlainNfs(written);
}

/** The root path of a DHCP server (option 17): any of the forms, also without "nfs:" in front. */
export function parseRootPath(written: string, iscsi: IscsiDefaults): NetRoot | string {
  const root = parseNetRoot(written, { type: undefined, nfsroot: undefined, iscsi });
  if (root !== undefined && typeof root === "object" && root.kind === "dhcp")
    return `${text(written)} leads nowhere.`;
  return root ?? parseNfs(written, true);
}

/** The root as people read it, without passwords. */
export function describeNetRoot(root: NetRoot): string {
  switch (root.kind) {
    case "nfs":
      return describeNfs(root);
    case "nbd":
      return describeNbd(root);
    case "iscsi":
      return describeIscsi(root);
    case "dhcp":
      return "dhcp";
    default:
      return text(`${root.kind}:${root.tag}`);
  }
}

function parseShare(kind: ShareRoot["kind"], written: string): ShareRoot | string {
  const tag = written.replace(/^(?:virtiofs|virtfs|9p):/, "");
  return tag === "" ? `${kind}: names no share: the tag is missing.` : { kind, tag };
}
