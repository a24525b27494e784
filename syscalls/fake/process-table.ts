/** The other processes of the fake kernel. */

import { SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGURG, SIGWINCH } from "../constants.ts";
import type { ChildStatus } from "../types.ts";
import type { FakeProcess } from "./options.ts";
import { refuse } from "./refusal.ts";

const SIGNAL_MAX = 64;
/** Signals that end no process by default; stopping is not modelled. */
const HARMLESS = new Set([0, SIGCHLD, SIGCONT, SIGSTOP, SIGURG, SIGWINCH]);

export interface Process extends Required<FakeProcess> {
  ppid: number;
  /** What became of it, once it has ended and is not reaped. */
  ended: ChildStatus | undefined;
}

export class ProcessTable {
  readonly all = new Map<number, Process>();
  /** The caller of the system calls, parent of all orphans. */
  readonly self: number;
  private readonly waiting: (() => void)[] = [];

  constructor(self: number, others: readonly FakeProcess[]) {
    this.self = self;
    for (const process of others) this.add(process);
  }

  add(process: FakeProcess): void {
    const kernelThread = process.kernelThread ?? false;
    const rest = { ppid: kernelThread ? 2 : this.self, argv: [process.name], ignores: [] };
    this.all.set(process.pid, { ...rest, ...process, kernelThread, ended: undefined });
  }

  /** kill(2) from a process that may signal every other. */
  kill(pid: number, signal: number): void {
    if (signal < 0 || signal > SIGNAL_MAX) refuse("EINVAL");
    if (pid === this.self) return;
    const targets = pid === -1 ? [...this.all.values()] : [this.all.get(pid) ?? refuse("ESRCH")];
    if (targets.length === 0) refuse("ESRCH");
    for (const target of targets) {
      const deaf = target.kernelThread || target.ignores.includes(signal) || HARMLESS.has(signal);
      if (!deaf && target.ended === undefined) this.end(target.pid, "killed", signal);
    }
  }

  /** A process ends; its children become ours. Nobody but us is thought to leave a zombie. */
  end(pid: number, code: ChildStatus["code"], status: number): void {
    const process = this.all.get(pid);
    if (process === undefined || process.ended !== undefined) throw new Error(`no process ${pid} lives`);
    for (const child of this.all.values()) if (child.ppid === pid) child.ppid = this.self;
    if (process.ppid === this.self) process.ended = { pid, code, status };
    else this.all.delete(pid);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** waitid(2) without blocking: "none yet" when no child has ended. */
  wait(pid: number, leave: boolean): ChildStatus | "none yet" {
    const children = [...this.all.values()].filter(
      (child) => child.ppid === this.self && (pid === 0 || child.pid === pid),
    );
    if (children.length === 0) refuse("ECHILD");
    const ended = children.find((child) => child.ended !== undefined)?.ended;
    if (ended === undefined) return "none yet";
    if (!leave) this.all.delete(ended.pid);
    return ended;
  }

  /** Settles when the next process ends. */
  nextEnd(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** Tells whether a signal can be given another disposition at all. */
export function isFixed(signal: number): boolean {
  return signal === SIGKILL || signal === SIGSTOP;
}
