/** Finds the real init and makes sure, before anything is lost, that the kernel will be able to start it. */

import { AT_FDCWD, O_CLOEXEC, O_RDONLY, type Syscalls, X_OK, isErrno } from "../../syscalls/index.ts";
import { View, fromBytes, text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import { describeFileType } from "./filetype.ts";
import { resolveInRoot } from "./resolve.ts";

/** Where the kernel looks when `init=` names nothing (kernel_init() in init/main.c). */
export const kernelInits: readonly string[] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/**
 * The path of the init to execute, as it will be seen from inside the new root.
 * `asked` is what `init=` says; without it the first of `kernelInits` that can be executed is taken.
 * @throws UserError with a sentence that says of each candidate what is wrong with it
 */
export function findInit(sys: Syscalls, root: string, asked: string | undefined): string {
  const candidates = asked === undefined ? kernelInits : [asked];
  const faults: string[] = [];
  for (const candidate of candidates) {
    const fault = whyNotExecutable(sys, root, candidate);
    if (fault === undefined) return candidate;
    faults.push(`${text(candidate)} ${fault}`);
  }
  throw new UserError(
    `The root filesystem holds no init that can be started: ${faults.join("; ")}.`,
    asked === undefined
      ? "Is it the right root? Name the init with init=PATH on the kernel command line."
      : "Correct init= on the kernel command line, or leave it out.",
  );
}

// A script may name a script: the kernel follows five (BINPRM_MAX_RECURSION).
const deepestScript = 5;

/** Says in words that fit behind the path why the kernel could not execute it; undefined when it could. */
function whyNotExecutable(sys: Syscalls, root: string, path: string, depth = 0): string | undefined {
  if (!path.startsWith("/")) return "is not an absolute path";
  try {
    const real = resolveInRoot(sys, root, path);
    if (real === undefined) return "does not exist";
    const stat = sys.stat(AT_FDCWD, real);
    if (stat.type !== "file") return `is ${describeFileType(stat.type)}, not a regular file`;
    if ((stat.mode & 0o111) === 0)
      return `is not executable (mode ${stat.mode.toString(8).padStart(4, "0")})`;
    // Sees a root that was mounted noexec, which the mode does not show.
    sys.access(real, X_OK);
    const interpreter = readInterpreter(readHead(sys, real));
    if (interpreter.kind === "none") return undefined;
    if (interpreter.kind === "unknown") return "is neither an ELF program nor a script that begins with #!";
    if (depth >= deepestScript) return "is a script of a script, too deep for the kernel";
    const fault = whyNotExecutable(sys, root, interpreter.path, depth + 1);
    return fault === undefined ? undefined : `needs ${text(interpreter.path)}, which ${fault}`;
  } catch (error) {
    if (isErrno(error, "EACCES")) return "may not be executed: its filesystem is mounted noexec";
    return `can't be examined: ${describe(error)}`;
  }
}

type Interpreter = { kind: "none" } | { kind: "unknown" } | { kind: "path"; path: string };

/** The program that the kernel would start for a file that begins like this (binfmt_script.c, binfmt_elf.c). */
export function readInterpreter(head: Uint8Array): Interpreter {
  const view = new View(head);
  if (view.has(0, "#!")) {
    const line = fromBytes(head.subarray(2, 256)).split("\n")[0] ?? "";
    const path = /^[ \t]*([^ \t\0]+)/.exec(line)?.[1];
    return path === undefined ? { kind: "unknown" } : { kind: "path", path };
  }
  if (!view.has(0, "\x7fELF")) return { kind: "unknown" };
  const path = elfInterpreter(view);
  return path === undefined ? { kind: "none" } : { kind: "path", path };
}

// PT_INTERP of a little-endian ELF file; what does not lie within the head is left for the kernel to judge.
function elfInterpreter(view: View): string | undefined {
  if (view.length < 64 || view.u8(5) !== 1) return undefined;
  const wide = view.u8(4) === 2;
  const headers = wide ? Number(view.u64(32)) : view.u32(28);
  const size = view.u16(wide ? 54 : 42);
  const count = view.u16(wide ? 56 : 44);
  for (let i = 0; i < count; i++) {
    const at = headers + i * size;
    if (at + (wide ? 56 : 32) > view.length) return undefined;
    if (view.u32(at) !== PT_INTERP) continue;
    const offset = wide ? Number(view.u64(at + 8)) : view.u32(at + 4);
    const length = wide ? Number(view.u64(at + 32)) : view.u32(at + 16);
    return offset + length > view.length ? undefined : view.string(offset, length);
  }
  return undefined;
}

const PT_INTERP = 3;
const headSize = 4096;

function readHead(sys: Syscalls, path: string): Uint8Array {
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
  try {
    const buffer = new Uint8Array(headSize);
    return buffer.subarray(0, sys.pread(fd, buffer, 0));
  } finally {
    sys.close(fd);
  }
}
