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
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import type { Log } from "../log.ts";
import type { Reaper } from "../children/reaper.ts";

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
export async function stopProcesses(sys: Syscalls, log: Log, reaper: Reaper): Promise<Process[]> {
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
    await untilGone(sys, reaper, signal);
  }
  reaper.reap();
  return strayProcesses(sys);
}

/**
 * Every process that would be left behind; zombies, kernel threads and those that are spared excepted, and the
 * helpers that the kernel runs for itself (modprobe): they descend from its threads, not from process 1.
 */
export function strayProcesses(sys: Syscalls): Process[] {
  const all = readEntries(sys);
  const strays = [...all.values()].filter(
    (entry) => entry.pid !== 1 && !entry.ended && !entry.kernelThread && isOurs(all, entry),
  );
  return strays.map((entry) => describeProcess(sys, entry)).filter((process) => process !== undefined);
}

/** The processes that descend from this one, and who started each. */
export function processesBelow(
  sys: Syscalls,
  pid: number,
): { readonly pid: number; readonly parent: number }[] {
  const all = readEntries(sys);
  const below = new Set([pid]);
  for (let before = 0; before < below.size;) {
    before = below.size;
    for (const entry of all.values()) if (below.has(entry.parent)) below.add(entry.pid);
  }
  return [...all.values()].filter((entry) => entry.pid !== pid && below.has(entry.pid));
}

/**
 * Takes the exit status of every child that has ended, so that no zombie is left; of those too that the runtime
 * waits for, which must not have another turn then.
 */
export function reapAll(sys: Syscalls): void {
  try {
    while (sys.waitid(0, WEXITED | WNOHANG) !== undefined);
  } catch (error) {
    if (!isErrno(error, "ECHILD")) throw error;
  }
}

/** True while a child is there, one that has ended and is not reaped among them. */
export function hasChildren(sys: Syscalls): boolean {
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

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly shortName: string;
  readonly kernelThread: boolean;
  readonly ended: boolean;
}

function readEntries(sys: Syscalls): Map<number, Entry> {
  const all = new Map<number, Entry>();
  for (const { name } of list(sys, "/proc")) {
    const entry = /^[1-9]\d*$/.test(name) ? readEntry(sys, Number(name)) : undefined;
    if (entry !== undefined) all.set(entry.pid, entry);
  }
  return all;
}

function readEntry(sys: Syscalls, pid: number): Entry | undefined {
  const stat = readIfAlive(sys, `/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in parentheses and may itself hold any character.
  const nameEnd = stat.lastIndexOf(")");
  const fields = stat.slice(nameEnd + 2).split(" ");
  return {
    pid,
    parent: Number(fields[1]),
    shortName: stat.slice(stat.indexOf("(") + 1, nameEnd),
    kernelThread: (Number(fields[6]) & PF_KTHREAD) !== 0,
    ended: fields[0] === "Z" || fields[0] === "X",
  };
}

// False when its line of parents leads to a kernel thread.
function isOurs(all: ReadonlyMap<number, Entry>, entry: Entry): boolean {
  let at: Entry | undefined = entry;
  for (let steps = 0; at !== undefined && steps < all.size; steps++) {
    if (at.kernelThread) return false;
    at = all.get(at.parent);
  }
  return true;
}

function describeProcess(sys: Syscalls, { pid, shortName }: Entry): Process | undefined {
  const argv0 = readIfAlive(sys, `/proc/${pid}/cmdline`)?.split("\0")[0];
  // Only what the process says of itself by its arguments: the short name of any file may begin so.
  return argv0?.startsWith("@") ? undefined : { pid, name: argv0 || shortName };
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
async function untilGone(sys: Syscalls, reaper: Reaper, signal: number): Promise<void> {
  const deadline = sys.boottime() + BigInt(patience_ms) * 1_000_000n;
  for (;;) {
    reaper.reap();
    const processes = strayProcesses(sys);
    if (processes.length === 0) return;
    // Also what was forked while the others were looked at.
    if (signal === SIGKILL) for (const { pid } of processes) sendSignal(sys, pid, SIGKILL);
    const left_ms = Number((deadline - sys.boottime()) / 1_000_000n);
    if (left_ms <= 0) return;
    await Promise.race([reaper.nextEnd(), Bun.sleep(left_ms)]);
  }
}
