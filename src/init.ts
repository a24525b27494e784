/**
 * Process 1 of the early userspace, from its first line to the real init.
 *
 * It reads the kernel command line (boot/options.ts has the table of parameters), and of the image
 *   /etc/rdinit/cmdline         parameters that count as if they stood in front of it
 *   /etc/rdinit.d/POINT/        programs to run at named points (boot/hooks.ts)
 *   /lib/modules/RELEASE/       modules with modules.dep, modules.alias, modules.softdep
 *   /etc/modprobe.d/*.conf      blacklists and module options, modprobe.d(5)
 *   /etc/rdinit/image.json      written first by the image builder, and
 *   /etc/rdinit/end             written last: without it the image was cut short
 *   /bin/sh                     the rescue shell
 *   /sbin/init                  the init of a whole system in memory, when no root is named
 * all of which may be missing. It may as well be started from a real filesystem (boot/handover/oldroot.ts). The entry
 * stub (stub/entry.c) ran before: /proc and /dev are mounted.
 */

import { type Syscalls, readText, traced } from "../syscalls/index.ts";
import { BlockDevices } from "./boot/blockdevices.ts";
import { type Boot, newRoot } from "./boot/context.ts";
import { missingModules, watchDevices } from "./boot/coldplug.ts";
import {
  PassphraseRefused,
  emergency,
  lastResort,
  readPanicTimeout,
  whenAskedAgain,
} from "./boot/emergency.ts";
import { mountFstab } from "./boot/fstab-mounts.ts";
import { keepExitrd } from "./boot/handover/keep-exitrd.ts";
import { findOwnInit, handOverInPlace, needsDisks } from "./boot/handover/in-place.ts";
import { PointOfNoReturn, handOver } from "./boot/handover/handover.ts";
import { hasHooks, runHooks, warnOfUnknownPoints } from "./boot/hooks.ts";
import { warnIfCutShort } from "./boot/imagecheck.ts";
import { readLegacy } from "./boot/legacy.ts";
import { KernelModules, hasModules } from "./boot/kmodules.ts";
import { kernelLog } from "./boot/log.ts";
import { loadsDrivers, mayHoldBack } from "./boot/hold-drivers.ts";
import { findIso } from "./boot/live/iso-scan.ts";
import { mountLive } from "./boot/live/live.ts";
import { readLiveSettings } from "./boot/live/settings.ts";
import { isMountPoint, mountBase } from "./boot/mounts.ts";
import { waitForNamed } from "./boot/named.ts";
import type { Desk } from "./boot/prompt/desk.ts";
import type { NetMeans } from "./boot/netroot/means.ts";
import { asksForNoDisk, mountNetRoot, nameRoot, startNetwork } from "./boot/netroot/netroot.ts";
import { lookElsewhere } from "./boot/netroot/elsewhere.ts";
import { coverRoot } from "./boot/live/overlay.ts";
import { startedFrom } from "./boot/handover/oldroot.ts";
import { Network } from "./boot/network/network.ts";
import { isRootOnNetwork } from "./boot/network/take-down.ts";
import { Remote } from "./boot/remote/remote.ts";
import { readPacked, readParameters } from "./boot/packed.ts";
import { Reaper } from "./boot/reaper.ts";
import { Resume } from "./boot/resume.ts";
import { findRoot, makeMountPoint, makeRootReady, mountRoot } from "./boot/root.ts";
import { startTiming } from "./boot/timing/recorder.ts";
import { makeLayers } from "./boot/storage/layers.ts";
import { Storage } from "./boot/storage/storage.ts";
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
  let modules: KernelModules | undefined;
  const panic_s = readPanicTimeout(sys);
  const ownInit = findOwnInit(boot);
  let network: Network | undefined;
  const loadModules = async (names: readonly string[]): Promise<void> => modules?.load(names);
  let remote: Remote | undefined;
  for (;;) {
    try {
      mountBase(sys);
      network ??= new Network(boot, readNetworkSettings(boot.words).settings, loadModules);
      warnIfCutShort(boot);
      modules ??= await timing.step("meeting the devices", () => meetDevices(boot, devices));
      if (network.isAskedFor) network.start("the command line");
      remote ??= new Remote(boot);
      remote.start(network);
      const root = await bringUpRoot(
        boot,
        devices,
        modules,
        resume,
        remote.desk,
        network,
        ownInit !== undefined,
      );
      const done = remote;
      remote = undefined;
      await timing.step("ending questions from elsewhere", () =>
        done.end("the root is mounted, and the system starts."),
      );
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
      const elsewhere = network === undefined ? undefined : lookElsewhere(boot, network);
      remote ??= new Remote(boot);
      if (network !== undefined) remote.start(network);
      remote.fail(describe(failure), whenAskedAgain(boot, failure));
      const missing = modules === undefined ? [] : await missingModules(boot, modules);
      await emergency(boot, failure, devices, missing, elsewhere, modules?.refused());
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

/** rd.neednet=1: hooks may need it. What needs it for the root waits for it by itself, and fails with it. */
async function waitForNetwork(boot: Boot, network: Network): Promise<void> {
  try {
    await network.up();
  } catch (failure) {
    if (!(failure instanceof UserError)) throw failure;
    boot.log.warning(`The boot goes on without the network that rd.neednet= waits for. ${failure.message}`);
  }
}

/**
 * Mounts the root and what belongs to it, a hibernated system woken before. Returns the node of the root's device,
 * when it is one and was looked for.
 */
async function bringUpRoot(
  boot: Boot,
  devices: BlockDevices,
  modules: KernelModules,
  resume: Resume,
  desk: Desk,
  network: Network,
  hasOwnInit: boolean,
): Promise<string | undefined> {
  const loadModules = (names: readonly string[]): Promise<void> => modules.load(names);
  const layers = makeLayers(boot, { changed: () => devices.wake(), loadModules, desk }, devices);
  const storage = new Storage(devices, layers);
  desk.goOn(() => storage.waitsFor());
  const { timing } = boot;
  if ((!hasOwnInit && !asksForNoDisk(boot)) || needsDisks(boot, storage)) void storage.run();
  try {
    startNetwork(boot, network);
    if (network.isWaitedFor)
      await timing.step("waiting for the network", () => waitForNetwork(boot, network));
    await timing.step("looking for a hibernated system", () => resume.attempt(boot, devices, storage));
    const means = { boot, devices, layers: storage, loadModules };
    const root = hasOwnInit
      ? await letHooksMount(boot)
      : await mountTheRoot(means, modules, network, storage);
    if (isMountPoint(boot.sys, newRoot)) {
      await timing.step("covering the root", () => coverRoot(means, newRoot));
      const loadFilesystem = (type: string): Promise<void> => modules.loadFilesystem(type);
      await timing.step("mounting by fstab", () => mountFstab(boot, devices, storage, loadFilesystem));
    }
    await timing.step("what else is named", () => waitForNamed(boot, devices, storage));
    return root;
  } catch (failure) {
    if (!(failure instanceof UserError) || !storage.hasRefused()) throw failure;
    throw new PassphraseRefused(failure.message, failure.remedy);
  } finally {
    await timing.step("ending the storage layers", () => storage.stop());
  }
}

/** A whole system in memory needs no root, but a hook may mount one all the same. */
async function letHooksMount(boot: Boot): Promise<undefined> {
  if (!hasHooks(boot, "pre-mount") && !hasHooks(boot, "mount")) return;
  makeMountPoint(boot.sys, newRoot);
  await runHooks(boot, "pre-mount");
  await runHooks(boot, "mount");
}

/** Mounts the root, or lets a hook do it. Returns the node of its device, when it is one and was looked for. */
async function mountTheRoot(
  means: NetMeans,
  modules: KernelModules,
  network: Network,
  storage: Storage,
): Promise<string | undefined> {
  const { devices } = means;
  const { timing } = means.boot;
  if (isMountPoint(means.boot.sys, newRoot)) {
    means.boot.log.notice(`${newRoot} is mounted already and is taken as the root.`);
    return undefined;
  }
  const {
    boot,
    device: wanted,
    elsewhere,
  } = await timing.step("naming the root", () => nameRoot(means, network));
  if (boot.options.rootDelay_ms > 0) {
    boot.log.notice(`waiting ${boot.options.rootDelay_ms / 1000} s, as rootdelay= asks.`);
    await timing.step("rootdelay", () => Bun.sleep(boot.options.rootDelay_ms));
  }
  const { iso } = readLiveSettings(boot.words).settings;
  if (iso !== undefined)
    await timing.step("looking for the image of a disc", () => findIso({ ...means, boot }, iso));
  const device =
    wanted === undefined
      ? undefined
      : await timing.step("looking for the root", () => findRoot(boot, devices, storage, wanted));
  if (device !== undefined && mayHoldBack(boot)) modules.holdBack();
  makeMountPoint(boot.sys, newRoot);
  await runHooks(boot, "pre-mount", device?.node);
  await runHooks(boot, "mount", device?.node);
  if (isMountPoint(boot.sys, newRoot)) {
    boot.log.info(`${newRoot} was mounted by a hook and is taken as the root.`);
    return device?.node;
  }
  if (elsewhere !== undefined) {
    await timing.step("mounting the root from elsewhere", () =>
      mountNetRoot(means, network, elsewhere, newRoot),
    );
    return undefined;
  }
  if (device === undefined)
    throw new UserError(`No hook has mounted the root on ${newRoot}, and root= names no block device.`);
  if (readLiveSettings(boot.words).settings.live) {
    await timing.step("mounting the live root", () => mountLive({ ...means, boot }, device, newRoot));
    return device.node;
  }
  const loadFilesystem = (type: string): Promise<void> => modules.loadFilesystem(type);
  const ready = await timing.step("checking the root", () =>
    makeRootReady(boot, devices, storage, device, loadFilesystem),
  );
  await timing.step("mounting the root", () => mountRoot(boot, ready, newRoot, loadFilesystem));
  return ready.node;
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
