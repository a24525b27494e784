/**
 * Process 1 of the exitrd, from its first line to the end of the machine.
 *
 * systemd has ended its services, unmounted what it could and left the rest to the program that the early userspace
 * kept (boot/handover/keep-exitrd.ts): its own directory is `/` now, and the old root, read-only, is mounted on /oldroot.
 */

import {
  type LastAction,
  SIGKILL,
  SysError,
  type Syscalls,
  isErrno,
  readText,
} from "../../syscalls/index.ts";
import { parseCommandLine } from "../boot/cmdline/cmdline.ts";
import { type Log, kernelLog } from "../boot/log.ts";
import { mountBase } from "../boot/mount/mounts.ts";
import { readOptions } from "../boot/cmdline/options.ts";
import { hasChildren, stopProcesses } from "../boot/handover/processes.ts";
import { Reaper } from "../boot/children/reaper.ts";
import { text } from "../lib/bytes.ts";
import { describe } from "../lib/errors.ts";
import { attempt } from "./attempt.ts";
import { makeReadOnly } from "./filesystems.ts";
import { type Left, takeDown } from "./takedown.ts";

/** Takes the storage apart as far as it can be, and ends the machine in any case. Never returns. */
export async function exitrd(sys: Syscalls, action: LastAction): Promise<never> {
  const log = beginLog(sys);
  try {
    mountBase(sys);
    log.info("back from the system that has ended: taking its storage apart");
    tellLeft(log, await takeAllDown(sys, log, new Reaper(sys)));
    await makeReadOnly(sys, log);
  } catch (error) {
    log.error(`The storage can't be taken apart: ${describe(error)}.`);
  }
  await syncDisks(sys, log);
  return end(sys, log, action);
}

function beginLog(sys: Syscalls): Log {
  const debug = wantsDebug(sys);
  const log = kernelLog(sys, () => debug);
  const goOn = (error: unknown): void =>
    log.error(`rdinit met an error of its own and goes on: ${describe(error)}`);
  process.on("uncaughtException", goOn);
  process.on("unhandledRejection", goOn);
  return log;
}

function wantsDebug(sys: Syscalls): boolean {
  try {
    return readOptions(parseCommandLine(readText(sys, "/proc/cmdline").trimEnd())).options.debug;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return false;
  }
}

/**
 * Ends what still runs, then takes apart. Processes that serve the storage (argv[0] begins with '@') are spared at
 * first: the storage may need them to be taken apart, and what they hold up is tried again without them.
 */
async function takeAllDown(sys: Syscalls, log: Log, reaper: Reaper): Promise<readonly Left[]> {
  for (const { pid, name } of await stopProcesses(sys, log, reaper))
    log.warning(`process ${pid} (${text(name)}) does not end.`);
  const hopeless = new Set<string>();
  const left = await takeDown(sys, log, hopeless);
  if (left.length === 0 || !(await killAll(sys, reaper))) return left;
  return takeDown(sys, log, hopeless);
}

/** How long a process that got SIGKILL may take to be gone. */
const patience_ms = 3000;

// False when there was nobody.
async function killAll(sys: Syscalls, reaper: Reaper): Promise<boolean> {
  try {
    sys.kill(-1, SIGKILL);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
  const late = Bun.sleep(patience_ms).then(() => true);
  for (let isLate = false; !isLate && hasChildren(sys);) {
    isLate = (await Promise.race([reaper.nextEnd(), late])) === true;
    reaper.reap();
  }
  return true;
}

function tellLeft(log: Log, left: readonly Left[]): void {
  if (left.length === 0) log.info("all storage is taken apart");
  for (const { title, why } of left) log.warning(`${title} stays as it is: ${why}.`);
}

async function syncDisks(sys: Syscalls, log: Log): Promise<void> {
  try {
    await attempt(log, "writing what is left to the disks", sys.slow.sync());
  } catch (error) {
    log.warning(`${describe(error)}.`);
  }
}

// The kernel refuses kexec when none was loaded; the machine is to come up again in any case.
async function end(sys: Syscalls, log: Log, asked: LastAction): Promise<never> {
  for (const action of [asked, ...(asked === "kexec" ? (["restart"] as const) : [])]) {
    log.info(WORDS[action]);
    try {
      sys.reboot(action);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      log.error(`The machine does not end: ${describe(error)}.`);
    }
  }
  log.error("The disks are left in order. Turn the machine off.");
  for (;;) await Bun.sleep(3_600_000);
}

const WORDS: Readonly<Record<LastAction, string>> = {
  power_off: "powering off",
  restart: "rebooting",
  halt: "the machine is halted",
  kexec: "starting the kernel that is loaded",
};
