/**
 * Process 1 of the early userspace, from its first line to the real init.
 *
 * It reads the kernel command line (boot/cmdline/parameters.ts has the table of parameters), and of the image
 *   /etc/rdinit/cmdline         parameters that count as if they stood in front of it
 *   /etc/rdinit.d/POINT/        programs to run at named points (boot/hooks.ts)
 *   /lib/modules/RELEASE/       modules with modules.dep, modules.alias, modules.softdep
 *   /etc/modprobe.d/*.conf      blacklists and module options, modprobe.d(5)
 *   /etc/rdinit/keymap, font    of the console, before somebody is asked (boot/prompt/keyboard.ts)
 *   /etc/rdinit/image.json      written first by the image builder, and
 *   /etc/rdinit/end             written last: without it the image was cut short
 *   /bin/sh                     the rescue shell
 *   /sbin/init                  the init of a whole system in memory, when no root is named
 * all of which may be missing. It may as well be started from a real filesystem (boot/handover/oldroot.ts). The entry
 * stub (stub/entry.c) ran before: /proc and /dev are mounted.
 */

import { type Syscalls, readText, traced } from "../syscalls/index.ts";
import { BlockDevices } from "./boot/devices/blockdevices.ts";
import { type Boot, newRoot } from "./boot/context.ts";
import { missingModules, watchDevices } from "./boot/drivers/coldplug.ts";
import {
  PassphraseRefused,
  emergency,
  lastResort,
  namesOf,
  readPanicTimeout,
  whenAskedAgain,
} from "./boot/rescue/emergency.ts";
import { mountFstab } from "./boot/mount/fstab-mounts.ts";
import { keepExitrd } from "./boot/handover/keep-exitrd.ts";
import { findOwnInit, handOverInPlace, needsDisks } from "./boot/handover/in-place.ts";
import { PointOfNoReturn, handOver } from "./boot/handover/handover.ts";
import { startedFrom } from "./boot/handover/oldroot.ts";
import { runHooks, warnOfUnknownPoints } from "./boot/hooks.ts";
import { warnIfCutShort } from "./boot/imagecheck.ts";
import { readLegacy } from "./boot/legacy.ts";
import { KernelModules, hasModules } from "./boot/drivers/kmodules.ts";
import { kernelLog } from "./boot/log.ts";
import { loadsDrivers } from "./boot/drivers/hold-drivers.ts";
import { readLiveSettings, wantsOverlay } from "./boot/live/settings.ts";
import { isMountPoint, mountBase } from "./boot/mount/mounts.ts";
import { waitForNamed } from "./boot/devices/named.ts";
import { lookElsewhere } from "./boot/netroot/elsewhere.ts";
import { asksForNoDisk, startNetwork } from "./boot/netroot/netroot.ts";
import { isRootOnNetwork } from "./boot/network/look.ts";
import { NetworkOnDemand } from "./boot/network/on-demand.ts";
import { readPacked, readParameters } from "./boot/cmdline/packed.ts";
import { parts } from "./boot/parts.ts";
import type { Desk } from "./boot/prompt/desk.ts";
import { Reaper } from "./boot/children/reaper.ts";
import { type Answers, makeAnswers } from "./boot/remote/on-demand.ts";
import { Resume } from "./boot/resume.ts";
import { type RootMeans, letHooksMount, mountTheRoot } from "./boot/root-ways.ts";
import { LayersOnDemand, namesLayers } from "./boot/storage/on-demand.ts";
import { Storage } from "./boot/storage/storage.ts";
import { startTiming } from "./boot/timing/recorder.ts";
import { waitInTheOpen } from "./boot/wait.ts";
import { UserError, describe } from "./lib/errors.ts";
import { readNetworkSettings } from "./network/settings.ts";

/** Process 1. Never returns, whatever happens: when process 1 ends, the kernel panics. */
export async function init(sys: Syscalls, environment: NodeJS.ProcessEnv): Promise<never> {
  try {
    return await bootUp(begin(sys, environment));
  } catch (failure) {
    return lastResort(
      sys,
      kernelLog(sys, () => true),
      failure,
      readPanicTimeout(sys),
    );
  }
}

/** The whole boot, tried again for as long as someone or something may have mended what it failed at. */
async function bootUp(boot: Boot): Promise<never> {
  const { sys, timing } = boot;
  const devices = new BlockDevices(sys);
  const resume = new Resume();
  const panic_s = readPanicTimeout(sys);
  const ownInit = findOwnInit(boot);
  let network: NetworkOnDemand | undefined;
  let modules: KernelModules | undefined;
  let answers: Answers | undefined;
  const loadModules = async (names: readonly string[]): Promise<void> => modules?.load(names);
  for (;;) {
    try {
      mountBase(sys);
      network ??= new NetworkOnDemand(boot, readNetworkSettings(boot.words).settings, loadModules);
      warnIfCutShort(boot);
      modules ??= await timing.step("meeting the devices", () => meetDevices(boot, devices));
      if (network.settings.isAskedFor) network.start("the command line");
      answers ??= await makeAnswers(boot);
      answers.start(network);
      const hasOwnInit = ownInit !== undefined;
      const { desk } = answers;
      const root = await bringUpRoot({ boot, devices, modules, resume, network, desk, hasOwnInit });
      const done = answers;
      answers = undefined;
      const words = "the root is mounted, and the system starts.";
      await timing.step("ending questions from elsewhere", () => done.end(words));
      await runHooks(boot, "pre-pivot", root);
      await waitForModules(boot, modules);
      await runHooks(boot, "cleanup", root);
      timing.step("keeping the exitrd", () => keepExitrd(boot));
      const ended = network;
      await timing.step("ending the network", () => ended.end(isRootOnNetwork(sys)));
      if (ownInit !== undefined && !isMountPoint(sys, newRoot)) await handOverInPlace(boot, ownInit);
      await handOver(boot, newRoot);
    } catch (failure) {
      if (failure instanceof PointOfNoReturn) await lastResort(sys, boot.log, failure, panic_s);
      const known = namesOf(devices);
      const elsewhere = network === undefined ? undefined : lookElsewhere(boot, network);
      answers ??= await makeAnswers(boot);
      if (network !== undefined) answers.start(network);
      answers.fail(describe(failure), whenAskedAgain(boot, failure));
      const missing = modules === undefined ? [] : await missingModules(boot, modules);
      await emergency(boot, failure, devices, missing, elsewhere, modules?.refused(), known);
    }
  }
}

/** What every later step needs: the command line, the log, and what the kernel gave us to hand on. */
function begin(sys: Syscalls, environment: NodeJS.ProcessEnv): Boot {
  const program_ms = performance.now();
  const legacy = readLegacy(sys, environment);
  const packed = readPacked(sys);
  const line = readText(sys, "/proc/cmdline").trimEnd();
  const { words, options, complaints } = readParameters(line, packed.content, startedFrom(sys));
  const log = kernelLog(
    sys,
    () => options.debug,
    () => options.info,
  );
  for (const complaint of [packed.problem, ...complaints])
    if (complaint !== undefined) log.warning(complaint);
  process.on("uncaughtException", (error) =>
    log.error(`rdinit met an error of its own and goes on: ${error.stack}`),
  );
  process.on("unhandledRejection", (error) =>
    log.error(`rdinit met an error of its own and goes on: ${describe(error)}`),
  );
  const kernel = options.trace ? traced(sys, (call) => log.debug(call)) : sys;
  const timing = startTiming(sys, words, { line, started_ns: legacy.started_ns, program_ms });
  return { sys: kernel, log, options, words, legacy, reaper: new Reaper(kernel), timing };
}

/** Takes in the devices; from then on they are listened to, and modules are loaded for them. */
async function meetDevices(boot: Boot, devices: BlockDevices): Promise<KernelModules> {
  warnOfUnknownPoints(boot);
  await runHooks(boot, "cmdline");
  const modules = new KernelModules(boot.sys, boot.log, boot.words, boot.timing);
  await runHooks(boot, "pre-trigger");
  devices.whenMissed(() => modules.goOn());
  await watchDevices(boot, devices, modules);
  return modules;
}

/** What a try of the boot works with. */
interface Try extends Omit<RootMeans, "layers" | "loadModules" | "network"> {
  readonly network: NetworkOnDemand;
  readonly resume: Resume;
  readonly desk: Desk;
  readonly hasOwnInit: boolean;
}

/**
 * Mounts the root and what belongs to it, a hibernated system woken before. Returns the node of the root's device,
 * when it is one and was looked for.
 */
async function bringUpRoot(all: Try): Promise<string | undefined> {
  const { boot, devices, modules, resume, network, desk, hasOwnInit } = all;
  const { timing } = boot;
  const loadModules = (names: readonly string[]): Promise<void> => modules.load(names);
  const loadFilesystem = (type: string): Promise<void> => modules.loadFilesystem(type);
  const layer = new LayersOnDemand(boot, { changed: () => devices.wake(), loadModules, desk }, devices);
  if (namesLayers(boot)) await layer.load();
  const layers = new Storage(devices, layer);
  desk.goOn(() => layers.waitsFor());
  if ((!hasOwnInit && !asksForNoDisk(boot)) || needsDisks(boot, layers)) void layers.run();
  try {
    startNetwork(boot, network);
    if (network.settings.isWaitedFor)
      await timing.step("waiting for the network", () => waitForNetwork(boot, network));
    await timing.step("looking for a hibernated system", () => resume.attempt(boot, devices, layers));
    const means = { ...all, layers, loadModules };
    const root = hasOwnInit ? await letHooksMount(boot) : await mountTheRoot(means);
    if (isMountPoint(boot.sys, newRoot)) {
      if (wantsOverlay(readLiveSettings(boot.words).settings)) {
        const { coverRoot } = await parts.live();
        await timing.step("covering the root", () => coverRoot(means, newRoot));
      }
      await timing.step("mounting by fstab", () => mountFstab(boot, devices, layers, loadFilesystem));
    }
    await timing.step("what else is named", () => waitForNamed(boot, devices, layers));
    return root;
  } catch (failure) {
    if (!(failure instanceof UserError) || !layers.hasRefused()) throw failure;
    throw new PassphraseRefused(failure.message, failure.remedy);
  } finally {
    await timing.step("ending the storage layers", () => layers.stop());
  }
}

/** rd.neednet=1: hooks may need it. What needs it for the root waits for it by itself, and fails with it. */
async function waitForNetwork(boot: Boot, network: NetworkOnDemand): Promise<void> {
  try {
    await network.up();
  } catch (failure) {
    if (!(failure instanceof UserError)) throw failure;
    boot.log.warning(`The boot goes on without the network that rd.neednet= waits for. ${failure.message}`);
  }
}

/** A module that is still loading would hold up the exec, in silence. */
async function waitForModules(boot: Boot, modules: KernelModules): Promise<void> {
  // The real system loads them, if it has them.
  if (!hasModules(boot.sys, newRoot)) modules.requestLater();
  if (loadsDrivers(boot.sys, newRoot)) modules.leaveRest();
  else modules.goOn();
  const settled = await waitInTheOpen(boot, {
    look: async () => (modules.isSettled() ? true : undefined),
    changed: () => modules.settled(),
    describe: async () => "waiting for kernel modules that are still being loaded",
    timeout_ms: 30_000,
  });
  if (settled === undefined)
    boot.log.warning("a kernel module does not finish loading; handing over all the same.");
}
