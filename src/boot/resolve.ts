/** Paths as a process with another root would resolve them. */

import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, type Syscalls, isErrno } from "../../syscalls/index.ts";

/**
 * The path, seen from here, of what `path` means inside `root`: links are followed, absolute ones from
 * `root`, and .. never leaves it (path_resolution(7), chroot(2)). Undefined when it does not exist.
 * @throws SysError for anything else: ELOOP after forty links, EIO, ENOTDIR
 */
export function resolveInRoot(sys: Syscalls, root: string, path: string): string | undefined {
  const base = root === "/" ? "" : root;
  let pending = parts(path);
  const resolved: string[] = [];
  for (let links = 0; pending.length > 0;) {
    const [part, ...rest] = pending;
    pending = rest;
    if (part === undefined) break;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const here = `${base}/${[...resolved, part].join("/")}`;
    const target = readLinkIfOne(sys, here);
    if (target === missing) return undefined;
    if (target === undefined) {
      resolved.push(part);
      continue;
    }
    // The kernel's own bound (MAXSYMLINKS); its call gives the error its name.
    if (++links > 40) sys.stat(AT_FDCWD, here);
    if (links > 40) return undefined;
    if (target.startsWith("/")) resolved.length = 0;
    pending = [...parts(target), ...pending];
  }
  return `${base}/${resolved.join("/")}`;
}

const missing = Symbol("missing");

function readLinkIfOne(sys: Syscalls, path: string): string | undefined | typeof missing {
  try {
    if (sys.stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).type !== "symlink") return undefined;
    return sys.readlink(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return missing;
    throw error;
  }
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
