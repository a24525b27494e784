/** Leaves no process behind but the real init. */

import {
  SIGCONT,
  SIGKILL,
  SIGTERM,
  type Syscalls,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  isErrno,
  list,
  readTextIfThere,
} from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import type { Log } from "./log.ts";

/** A process that is neither process 1 nor a kernel thread. */
export interface Process {
  readonly pid: number;
  /** Its argv[0], or its short name when it has none. */
  readonly name: string;
}

/** How long processes get after SIGTERM, and again after SIGKILL. */
const patience_ms = 3000;

/**
 * Ends and reaps every process that may not outlive the early userspace: SIGTERM, then SIGKILL, both
 * with a deadline. Spared are kernel threads and processes whose argv[0] begins with '@', which serve
 * the root device (systemd's convention for storage daemons).
 *
 * @returns those that are still there: stuck in the kernel, which no signal can change
 */
export async function stopProcesses(sys: Syscalls, log: Log): Promise<Process[]> {
  // Whatever descends from process 1 hangs on one of its children: an orphan becomes one itself.
  if (!hasChildren(sys)) return [];
  for (const signal of [SIGTERM, SIGKILL]) {
    const processes = strayProcesses(sys);
    if (processes.length === 0) break;
    log.debug(`stopping ${processes.map((p) => `${text(p.name)} (${p.pid})`).join(", ")}`);
    for (const { pid } of processes) {
      sendSignal(sys, pid, signal);
      if (signal === SIGTERM) sendSignal(sys, pid, SIGCONT);
    }
    await untilGone(sys);
  }
  reapAll(sys);
  return strayProcesses(sys);
}

/** Every process that would be left behind; zombies, kernel threads and those that are spared excepted. */
export function strayProcesses(sys: Syscalls): Process[] {
  const processes: Process[] = [];
  for (const { name } of list(sys, "/proc")) {
    if (!/^[1-9]\d*$/.test(name) || name === "1") continue;
    const process = readProcess(sys, Number(name));
    if (process !== undefined) processes.push(process);
  }
  return processes;
}

/** Takes the exit status of every child that has ended, so that no zombie is left. */
export function reapAll(sys: Syscalls): void {
  try {
    while (sys.waitid(0, WEXITED | WNOHANG) !== undefined);
  } catch (error) {
    if (!isErrno(error, "ECHILD")) throw error;
  }
}

function hasChildren(sys: Syscalls): boolean {
  try {
    sys.waitid(0, WEXITED | WNOHANG | WNOWAIT);
    return true;
  } catch (error) {
    if (isErrno(error, "ECHILD")) return false;
    throw error;
  }
}

// include/linux/sched.h; the ninth field of /proc/PID/stat (proc(5)).
const PF_KTHREAD = 0x00200000;

function readProcess(sys: Syscalls, pid: number): Process | undefined {
  const stat = readIfAlive(sys, `/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in parentheses and may itself hold any character.
  const nameEnd = stat.lastIndexOf(")");
  const fields = stat.slice(nameEnd + 2).split(" ");
  const [state] = fields;
  if (state === "Z" || state === "X" || (Number(fields[6]) & PF_KTHREAD) !== 0) return undefined;
  const argv0 = readIfAlive(sys, `/proc/${pid}/cmdline`)?.split("\0")[0];
  // Only what the process says of itself by its arguments: the short name of any file may begin so.
  if (argv0?.startsWith("@")) return undefined;
  return { pid, name: argv0 || stat.slice(stat.indexOf("(") + 1, nameEnd) };
}

// A process may end between the listing and the reading.
function readIfAlive(sys: Syscalls, path: string): string | undefined {
  try {
    return readTextIfThere(sys, path);
  } catch (error) {
    if (isErrno(error, "ESRCH", "ENOENT")) return undefined;
    throw error;
  }
}

function sendSignal(sys: Syscalls, pid: number, signal: number): void {
  try {
    sys.kill(pid, signal);
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

// Every orphan becomes our child, so a child's end is the event to wait for.
async function untilGone(sys: Syscalls): Promise<void> {
  const deadline = sys.boottime() + BigInt(patience_ms) * 1_000_000n;
  for (;;) {
    reapAll(sys);
    if (strayProcesses(sys).length === 0) return;
    const left_ms = Number((deadline - sys.boottime()) / 1_000_000n);
    if (left_ms <= 0) return;
    await Promise.race([childEnds(sys), Bun.sleep(left_ms)]);
  }
}

async function childEnds(sys: Syscalls): Promise<void> {
  try {
    await sys.slow.peekChild();
  } catch (error) {
    if (!isErrno(error, "ECHILD")) throw error;
    // Not our children: usermode helpers of the kernel, which end by themselves. The deadline bounds it.
    await Bun.sleep(50);
  }
}
