/** The fake kernel's calls about processes and the machine. */

import { fromBytes } from "../../src/lib/bytes.ts";
import { WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WCONTINUED } from "../constants.ts";
import type { Disposition, LastAction, Syscalls } from "../types.ts";
import type { Machine } from "./machine.ts";
import { isFixed } from "./process-table.ts";
import { refuse } from "./refusal.ts";

const SIGNALS = 64;
/** fs/exec.c: a script whose interpreter is a script, and so on. */
const INTERPRETERS_MAX = 5;

/** Thrown by execve, which does not return: the program that now runs. */
export class Executed extends Error {
  override readonly name = "Executed";
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];

  constructor(path: string, argv: readonly string[], env: readonly string[]) {
    super(`the process now runs ${path}`);
    this.path = path;
    this.argv = argv;
    this.env = env;
  }
}

/** Thrown by reboot, which does not return either. */
export class Rebooted extends Error {
  override readonly name = "Rebooted";
  readonly action: LastAction;

  constructor(action: LastAction) {
    super(`the machine is gone: ${action}`);
    this.action = action;
  }
}

export function processes(machine: Machine) {
  return {
    getpid: () => machine.processes.self,
    kill(pid, signal) {
      machine.processes.kill(pid, signal);
    },
    waitid(pid, options) {
      if ((options & WEXITED) === 0 || (options & (WSTOPPED | WCONTINUED)) !== 0) refuse("EINVAL");
      if (pid < 0) refuse("EINVAL");
      const status = machine.processes.wait(pid, (options & WNOWAIT) !== 0);
      if (status !== "none yet") return status;
      if ((options & WNOHANG) !== 0) return undefined;
      throw new Error("the fake kernel's waitid would block for ever");
    },
    execve(path, argv, env) {
      checkProgram(machine, path);
      for (const [fd, { closeOnExec }] of machine.fds) if (closeOnExec) machine.fds.delete(fd);
      for (const [signal, how] of machine.dispositions)
        if (how === "handled") machine.dispositions.delete(signal);
      throw new Executed(path, [...argv], [...env]);
    },
    getrlimit(resource, pid = 0) {
      if (pid !== 0 && pid !== machine.processes.self) refuse("ESRCH");
      return machine.limits[resource] ?? refuse("EINVAL");
    },
    setrlimit(resource, limit) {
      if (machine.limits[resource] === undefined || limit.soft > limit.hard) refuse("EINVAL");
      machine.limits[resource] = { soft: limit.soft, hard: limit.hard };
    },
    disposition(signal): Disposition {
      checkSignal(signal);
      return machine.dispositions.get(signal) ?? "default";
    },
    resetSignal(signal) {
      checkSignal(signal);
      if (isFixed(signal)) refuse("EINVAL");
      machine.dispositions.delete(signal);
    },
    unblockSignals() {
      machine.blocked.clear();
    },
    uname: () => ({ release: machine.options.release ?? "6.1.0", machine: "x86_64" }),
    boottime: () => machine.now_ns,
    reboot(action) {
      throw new Rebooted(action);
    },
  } satisfies Partial<Syscalls>;
}

function checkSignal(signal: number): void {
  if (signal < 1 || signal > SIGNALS) refuse("EINVAL");
}

/** What stands against running a file: fs/exec.c, fs/binfmt_script.c, fs/binfmt_elf.c. */
function checkProgram(machine: Machine, path: string): void {
  let name = path;
  for (let depth = 0; depth < INTERPRETERS_MAX; depth++) {
    const { inode } = machine.place(name);
    if (inode.kind !== "file" || (inode.mode & 0o111) === 0) refuse("EACCES");
    const head = fromBytes(inode.bytes.subarray(0, 256));
    if (head.startsWith("\x7fELF")) return;
    const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head)?.[1];
    name = interpreter ?? refuse("ENOEXEC");
  }
  refuse("ELOOP");
}
