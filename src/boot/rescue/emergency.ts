/** What happens when the boot can't go on. Process 1 never exits. */

import { type RebootAction, type Syscalls, readTextIfThere } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import { runHooks } from "../hooks.ts";
import type { Log } from "../log.ts";
import { listDevices } from "./report.ts";
import { runRescueShell, shellObstacle } from "./rescue.ts";
import { saveTiming } from "../timing/save.ts";

/** The boot failed as nobody gave the right passphrase: it was wrong too often, or came not in time. */
export class PassphraseRefused extends UserError {}

/** What the machine has, and may get, besides devices of its own (netroot/elsewhere.ts). */
export interface Elsewhere {
  /** What of the command line leads to the root there: "root=nfs:…"; undefined for a root on a device of the machine. */
  readonly root: string | undefined;
  /** The root is reached by the network, whose coming and going is worth another try. */
  readonly byNetwork: boolean;
  /** Its interfaces and name servers, a line each. */
  readonly interfaces: readonly string[];
  /** Resolves when there is something that the boot had not when it failed, a clause: "eth0 has a carrier". */
  readonly gained: (signal: AbortSignal) => Promise<string>;
}

/**
 * Says what failed and what the machine has, then does what can be done: the rescue shell when there
 * is one and it is allowed, else what `panic=` asks for. Returns when the boot is worth another try.
 * @param known the devices that were there when the boot failed, by name: another one has appeared since
 */
export async function emergency(
  boot: Boot,
  failure: unknown,
  devices: BlockDevices | undefined,
  missingModules: readonly string[],
  elsewhere: Elsewhere | undefined = undefined,
  refusedModules: readonly string[] = [],
  known: ReadonlySet<string> = namesOf(devices),
): Promise<void> {
  const { log } = boot;
  log.error(explainFailure(failure));
  saveTiming(boot, describe(failure));
  tellOfNetwork(log, elsewhere);
  if (devices !== undefined) tellOfDevices(log, await listDevices(devices), elsewhere);
  if (missingModules.length > 0)
    log.error(`No module in this image serves ${missingModules.map(text).join(", ")}.`);
  for (const sentence of refusedModules) log.error(sentence);
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
  await waitOrReboot(boot, failure, devices, elsewhere, known);
}

/** The names of the devices that are there now. */
export function namesOf(devices: BlockDevices | undefined): ReadonlySet<string> {
  return new Set(devices?.all().map(({ name }) => name));
}

/**
 * When the passphrase may be given again after a boot that failed for want of it, a sentence; undefined when it was not
 * that, or something else is done than to wait.
 */
export function whenAskedAgain({ sys, options }: Boot, failure: unknown): string | undefined {
  if (!(failure instanceof PassphraseRefused) || options.shell === true) return undefined;
  if (options.emergency !== undefined || readPanicTimeout(sys) !== 0) return undefined;
  return `The boot is tried again in ${again_s} s, and the passphrase is asked for again.`;
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

function tellOfNetwork(log: Log, elsewhere: Elsewhere | undefined): void {
  const { root, byNetwork = false, interfaces = [] } = elsewhere ?? {};
  const none = "; the kernel knows no network interface, or none was brought up.";
  const list = interfaces.length > 0 ? ". Network interfaces:" : none;
  if (byNetwork) log.error(`The root is on the network (${root})${list}`);
  else if (interfaces.length > 0) log.error("Network interfaces:");
  for (const line of interfaces) log.error(line);
}

// A root that is elsewhere needs none.
function tellOfDevices(log: Log, lines: readonly string[], elsewhere: Elsewhere | undefined): void {
  if (lines.length > 0) log.error("Block devices:");
  else if (elsewhere?.root === undefined) log.error("The machine has no block device that the kernel knows.");
  for (const line of lines) log.error(line);
}

async function waitOrReboot(
  { sys, log }: Boot,
  failure: unknown,
  devices: BlockDevices | undefined,
  elsewhere: Elsewhere | undefined,
  known: ReadonlySet<string>,
): Promise<void> {
  const panic_s = readPanicTimeout(sys);
  if (panic_s !== 0) await rebootAfter(sys, log, panic_s);
  // While all this was told, and modules loaded for it.
  const newcomer = [...namesOf(devices)].find((name) => !known.has(name));
  if (newcomer !== undefined)
    return log.notice(`${text(newcomer)} has appeared meanwhile: the boot is tried again.`);
  const hope = hopeOf(failure, elsewhere);
  const more = elsewhere?.byNetwork === true ? " or more of the network" : "";
  const when = hope === undefined ? "" : `, or else in ${again_s} s, ${hope}`;
  log.error(
    `Waiting: when a device${more} appears${when}, the boot is tried again. (panic=SECONDS would reboot instead.)`,
  );
  const over = new AbortController();
  const late = Promise.withResolvers<string>();
  const timer =
    hope === undefined ? undefined : setTimeout(() => late.resolve(`${again_s} s are over`), again_s * 1000);
  const what = await Promise.race([
    late.promise,
    ...(devices === undefined ? [] : [devices.changed()]),
    ...(elsewhere?.byNetwork === true ? [elsewhere.gained(over.signal)] : []),
  ]);
  clearTimeout(timer);
  over.abort();
  log.notice(`${what ?? "the devices have changed"}: the boot is tried again.`);
}

/** What may end otherwise without an event that tells of it, a clause: the boot is tried again after a pause. */
function hopeOf(failure: unknown, elsewhere: Elsewhere | undefined): string | undefined {
  // Nobody may be near who could reset the machine. The pause is all that a guesser gets: there is no shell.
  if (failure instanceof PassphraseRefused) return "as somebody may know the passphrase then";
  return elsewhere?.byNetwork === true ? "as the server may answer then" : undefined;
}

const again_s = 30;

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
