/** Paths as a process with another root would resolve them. */

import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  SysError,
  type Stat,
  type Syscalls,
  isErrno,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";

/**
 * The path, seen from here, of what `path` means inside `root`: links are followed, absolute ones from
 * `root`, and .. never leaves it (path_resolution(7), chroot(2)). Undefined when it does not exist, which
 * includes a file where the path needs a directory: "/file/", "/file/..".
 * @throws UserError after forty links, where the kernel says ELOOP
 * @throws SysError for anything else: EIO, ENAMETOOLONG
 */
export function resolveInRoot(sys: Syscalls, root: string, path: string): string | undefined {
  const base = root === "/" ? "" : root;
  let pending = parts(path);
  const resolved: string[] = [];
  let inDirectory = true;
  for (let links = 0; pending.length > 0;) {
    const [part, ...rest] = pending;
    pending = rest;
    if (part === undefined) break;
    if (!inDirectory) return undefined;
    if (part === ".") continue;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const here = `${base}/${[...resolved, part].join("/")}`;
    const type = typeIfThere(sys, here);
    if (type === undefined) return undefined;
    if (type !== "symlink") {
      resolved.push(part);
      inDirectory = type === "directory";
      continue;
    }
    if (++links > mostLinks) throw new UserError(`${text(path)} leads through more than ${mostLinks} links`);
    const target = sys.readlink(here);
    if (target.startsWith("/")) resolved.length = 0;
    pending = [...parts(target), ...pending];
  }
  return `${base}/${resolved.join("/")}`;
}

/** True when `path` exists inside `root`; false also when that can't be told. */
export function isInRoot(sys: Syscalls, root: string, path: string): boolean {
  try {
    return resolveInRoot(sys, root, path) !== undefined;
  } catch (error) {
    if (error instanceof SysError || error instanceof UserError) return false;
    throw error;
  }
}

// The kernel's own bound (MAXSYMLINKS).
const mostLinks = 40;

function typeIfThere(sys: Syscalls, path: string): Stat["type"] | undefined {
  try {
    return sys.stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).type;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

// A slash at the end asks for a directory, as "/." would.
function parts(path: string): string[] {
  return path
    .replace(/\/$/, "/.")
    .split("/")
    .filter((part) => part !== "");
}
