/** What happens when the boot can't go on. Process 1 never exits. */

import { type RebootAction, type Syscalls, readTextIfThere } from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import type { BlockDevices } from "./blockdevices.ts";
import type { Boot } from "./context.ts";
import { runHooks } from "./hooks.ts";
import type { Log } from "./log.ts";
import { listDevices } from "./report.ts";
import { runRescueShell, shellObstacle } from "./rescue.ts";
import { saveTiming } from "./timing/save.ts";

/** The boot failed as nobody gave the right passphrase: it was wrong too often, or came not in time. */
export class PassphraseRefused extends UserError {}

/**
 * Says what failed and what the machine has, then does what can be done: the rescue shell when there
 * is one and it is allowed, else what `panic=` asks for. Returns when the boot is worth another try.
 */
export async function emergency(
  boot: Boot,
  failure: unknown,
  devices: BlockDevices | undefined,
  missingModules: readonly string[],
  interfaces: readonly string[] = [],
): Promise<void> {
  const { log } = boot;
  log.error(explainFailure(failure));
  saveTiming(boot, describe(failure));
  if (devices !== undefined) {
    const lines = await listDevices(devices);
    log.error(
      lines.length === 0 ? "The machine has no block device that the kernel knows." : "Block devices:",
    );
    for (const line of lines) log.error(line);
  }
  if (interfaces.length > 0) log.error("Network interfaces:");
  for (const line of interfaces) log.error(line);
  if (missingModules.length > 0)
    log.error(`No module in this image serves ${missingModules.map(text).join(", ")}.`);
  await runHooks(boot, "emergency");
  const obstacle = shellObstacle(boot, failure instanceof PassphraseRefused);
  if (obstacle === undefined) {
    log.error("Starting a rescue shell. Leave it by `exit` to try the boot again.");
    await runRescueShell(boot);
    log.notice("the rescue shell was left; trying again.");
    return;
  }
  log.error(obstacle);
  if (boot.options.emergency !== undefined) await leave(boot.sys, log, boot.options.emergency);
  await waitOrReboot(boot.sys, log, devices);
}

/** The end when nothing can be tried again, after the point of no return above all: needs no file, and never returns. */
export async function lastResort(sys: Syscalls, log: Log, failure: unknown, panic_s: number): Promise<never> {
  log.error(explainFailure(failure));
  log.error("Nothing is left that could be tried again.");
  if (panic_s !== 0) await rebootAfter(sys, log, panic_s);
  log.error("The machine waits here for ever. Reset it; boot with panic=SECONDS to have that done.");
  for (;;) await Bun.sleep(3_600_000);
}

/** `panic=` as the kernel knows it, in seconds: 0 waits for ever, a negative number reboots at once. */
export function readPanicTimeout(sys: Syscalls): number {
  try {
    const seconds = Number(readTextIfThere(sys, "/proc/sys/kernel/panic")?.trim());
    return Number.isInteger(seconds) ? seconds : 0;
  } catch {
    return 0;
  }
}

function explainFailure(failure: unknown): string {
  if (failure instanceof UserError) return describe(failure);
  const stack = failure instanceof Error ? failure.stack : undefined;
  return `rdinit met an error of its own, please report it: ${stack ?? describe(failure)}`;
}

async function waitOrReboot(sys: Syscalls, log: Log, devices: BlockDevices | undefined): Promise<void> {
  const panic_s = readPanicTimeout(sys);
  if (panic_s !== 0) await rebootAfter(sys, log, panic_s);
  log.error("Waiting: when a device appears, the boot is tried again. (panic=SECONDS would reboot instead.)");
  if (devices !== undefined) return devices.changed();
  for (;;) await Bun.sleep(3_600_000);
}

async function rebootAfter(sys: Syscalls, log: Log, panic_s: number): Promise<void> {
  if (panic_s > 0) {
    log.error(`Rebooting in ${panic_s} s, as panic= asks.`);
    await Bun.sleep(panic_s * 1000);
  } else {
    log.error("Rebooting at once, as panic= asks.");
  }
  reboot(sys, log, "restart");
}

// A moment for a person to read why.
async function leave(sys: Syscalls, log: Log, action: RebootAction): Promise<void> {
  log.error(`${words[action].doing} in ${leave_s} s, as rd.emergency= asks.`);
  await Bun.sleep(leave_s * 1000);
  reboot(sys, log, action);
}

const leave_s = 5;

const words: Readonly<Record<RebootAction, { readonly doing: string; readonly done: string }>> = {
  restart: { doing: "Rebooting", done: "rebooted" },
  power_off: { doing: "Powering off", done: "powered off" },
  halt: { doing: "Halting", done: "halted" },
};

function reboot(sys: Syscalls, log: Log, action: RebootAction): void {
  sys.sync();
  try {
    sys.reboot(action);
  } catch (error) {
    log.error(`The machine can't be ${words[action].done}: ${describe(error)}.`);
  }
}
