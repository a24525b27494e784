/** Finds the real init and makes sure, before anything is lost, that the kernel will be able to start it. */

import { AT_FDCWD, O_CLOEXEC, O_RDONLY, type Syscalls, X_OK, isErrno } from "../../../syscalls/index.ts";
import { View, fromBytes, text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { describeFileType } from "../mount/filetype.ts";
import type { Log } from "../log.ts";
import { resolveInRoot } from "../mount/resolve.ts";

/** Where the kernel looks when `init=` names nothing (kernel_init() in init/main.c). */
export const kernelInits: readonly string[] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/**
 * The path of the init to execute, as it will be seen from inside the new root.
 * `asked` is what `init=` says; without it the first of `kernelInits` that can be executed is taken, with a
 * warning about those before it that are there and can't be.
 * @throws UserError with a sentence that says of each candidate what is wrong with it
 */
export function findInit(sys: Syscalls, log: Log, root: string, asked: string | undefined): string {
  const faults: string[] = [];
  for (const candidate of initCandidates(asked)) {
    const fault = whyNoPath(candidate) ?? whyNotExecutable(sys, root, candidate);
    if (fault === undefined) {
      for (const passed of faults.filter((sentence) => !sentence.endsWith(` ${notThere}`)))
        log.warning(`${passed}; trying ${text(candidate)}.`);
      return candidate;
    }
    faults.push(`${text(candidate)} ${fault}`);
  }
  throw noInit(faults, asked);
}

/** The paths that are tried, in their order. */
export function initCandidates(asked: string | undefined): readonly string[] {
  return asked === undefined ? kernelInits : [asked];
}

/** The error that the command line alone leads to, whatever the root holds; undefined when it leads to none. */
export function refuseInit(asked: string | undefined): UserError | undefined {
  const fault = asked === undefined ? undefined : whyNoPath(asked);
  return fault === undefined ? undefined : noInit([`${text(asked ?? "")} ${fault}`], asked);
}

function noInit(faults: readonly string[], asked: string | undefined): UserError {
  return new UserError(
    `The root filesystem holds no init that can be started: ${faults.join("; ")}.`,
    asked === undefined
      ? "Is it the right root? Name the init with init=PATH on the kernel command line."
      : "Correct init= on the kernel command line, or leave it out.",
  );
}

function whyNoPath(init: string): string | undefined {
  return init.startsWith("/") ? undefined : "is not an absolute path";
}

const notThere = "does not exist";

// A script may name a script: the kernel follows five of them (exec_binprm() in fs/exec.c).
const mostScripts = 5;

/** Says in words that fit behind the path why the kernel could not execute it; undefined when it could. */
export function whyNotExecutable(sys: Syscalls, root: string, path: string, scripts = 0): string | undefined {
  return whyNotProgram(sys, root, path, (head) => {
    const program = readProgram(head);
    switch (program.kind) {
      case "elf":
        return otherMachine(sys, head) ?? needs(program.loader, (loader) => whyNotLoader(sys, root, loader));
      case "script":
        if (scripts >= mostScripts) return "is a script of a script, too deep for the kernel";
        return needs(program.interpreter, (next) => whyNotExecutable(sys, root, next, scripts + 1));
      case "unknown":
        return "is neither an ELF program nor a script that begins with #!";
    }
  });
}

// load_elf_binary() in fs/binfmt_elf.c: the loader must be an ELF file; whom it names in its turn does not count.
function whyNotLoader(sys: Syscalls, root: string, path: string): string | undefined {
  return whyNotProgram(sys, root, path, (head) =>
    readProgram(head).kind === "elf" ? otherMachine(sys, head) : "is not an ELF file",
  );
}

function needs(path: string | undefined, why: (path: string) => string | undefined): string | undefined {
  const fault = path === undefined ? undefined : why(path);
  return path === undefined || fault === undefined ? undefined : `needs ${text(path)}, which ${fault}`;
}

function whyNotProgram(
  sys: Syscalls,
  root: string,
  path: string,
  judge: (head: Uint8Array) => string | undefined,
): string | undefined {
  try {
    const real = resolveInRoot(sys, root, path);
    if (real === undefined) return notThere;
    const stat = sys.stat(AT_FDCWD, real);
    if (stat.type !== "file") return `is ${describeFileType(stat.type)}, not a regular file`;
    if ((stat.mode & 0o111) === 0)
      return `is not executable (mode ${stat.mode.toString(8).padStart(4, "0")})`;
    // Sees a root that was mounted noexec, which the mode does not show.
    sys.access(real, X_OK);
    return judge(readHead(sys, real));
  } catch (error) {
    if (isErrno(error, "EACCES") && error.syscall === "access")
      return "may not be executed: its filesystem is mounted noexec";
    return `can't be examined: ${describe(error)}`;
  }
}

type Program =
  | { readonly kind: "elf"; readonly loader: string | undefined }
  | { readonly kind: "script"; readonly interpreter: string }
  | { readonly kind: "unknown" };

/** What the kernel would make of a file that begins like this (binfmt_script.c, binfmt_elf.c). */
export function readProgram(head: Uint8Array): Program {
  const view = new View(head);
  if (view.has(0, "#!")) {
    const interpreter = scriptInterpreter(head);
    return interpreter === undefined ? { kind: "unknown" } : { kind: "script", interpreter };
  }
  if (!view.has(0, "\x7fELF")) return { kind: "unknown" };
  return { kind: "elf", loader: elfInterpreter(view) };
}

// The kernel sees the first 256 bytes, with NULs behind a shorter file; a name that may have been cut is refused.
function scriptInterpreter(head: Uint8Array): string | undefined {
  const seen = fromBytes(head.subarray(2, 256));
  const line = head.length < 256 ? `${seen}\0` : seen;
  return /^[ \t]*([^ \t\0\n]+)[ \t\0\n]/.exec(line)?.[1];
}

// elf_check_arch(): the machines (linux/elf-em.h) whose programs each kernel runs, 32-bit ones included.
const elfMachines: Readonly<Record<string, readonly number[]>> = { x86_64: [62, 3], aarch64: [183, 40] };

function otherMachine(sys: Syscalls, head: Uint8Array): string | undefined {
  const view = new View(head);
  const machines = elfMachines[sys.uname().machine];
  if (machines === undefined || view.length < 20 || machines.includes(view.u16(18))) return undefined;
  return `is built for another kind of processor (ELF machine ${view.u16(18)})`;
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
