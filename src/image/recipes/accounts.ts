/** The users and groups of an image, for programs that ask the C library for them. */

import { LOGIN_SHELL } from "../../unlock/login.ts";
import { fromBytes, toBytes } from "../../lib/bytes.ts";
import { findLibraryFiles } from "./look.ts";
import type { FileTree } from "../file-tree.ts";
import type { MadeFile } from "../part.ts";

/**
 * passwd(5) with root alone, group(5) with the groups that own devices, and an nsswitch.conf(5) that asks files, and for hosts DNS.
 * No password comes along: root's is locked, and there is no shadow(5). In an image that is unlocked over SSH root's
 * shell is LOGIN_SHELL.
 */
export function accountFiles(root: FileTree, isUnlockedBySsh: boolean): MadeFile[] {
  const groups = linesOf(root, "/etc/group")
    .map((line) => line.split(":"))
    .filter(([name = ""]) => GROUPS.has(name))
    .map(([name, , id]) => `${name}:x:${id}:`);
  const files = [
    ["/etc/passwd", [`root:*:0:0:root:/root:${isUnlockedBySsh ? LOGIN_SHELL : "/bin/sh"}`]],
    ["/etc/group", groups.length > 0 ? groups : ["root:x:0:"]],
    ["/etc/shells", ["/bin/sh", "/bin/bash", ...(isUnlockedBySsh ? [LOGIN_SHELL] : [])]],
    [
      "/etc/nsswitch.conf",
      ["passwd: files", "group: files", "shadow: files", "hosts: files dns", "services: files"],
    ],
  ] as const;
  return files.map(([to, lines]) => ({ to, data: toBytes(lines.map((line) => `${line}\n`).join("")) }));
}

/** The plugins of the C library that read these files, where they are not within itself (glibc before 2.34). */
export function nameServices(root: FileTree, program: string): readonly string[] {
  const [libc] = findLibraryFiles(root, program, ["libc.so.6"]).paths;
  if (libc === undefined || fromBytes(root.read(libc) ?? new Uint8Array(0)).includes("_nss_files_getpwnam_r"))
    return [];
  return findLibraryFiles(root, program, ["libnss_files.so.2"]).paths;
}

const GROUPS: ReadonlySet<string> = new Set(["root", "tty", "disk", "kmem", "input", "kvm"]);

function linesOf(root: FileTree, path: string): string[] {
  return fromBytes(root.read(path) ?? new Uint8Array(0)).split("\n");
}
