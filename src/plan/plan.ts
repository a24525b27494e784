/**
 * What /init would do for a kernel command line, as sentences: `rdinit plan`.
 *
 * Nothing is decided here. Each sentence tells what the function says that process 1 itself asks: readParameters(),
 * readConfig(), chooseRoot(), planMount(), chooseHooks(), initCandidates().
 */

import { MS_RDONLY } from "../../syscalls/index.ts";
import type { FileTree } from "../image/file-tree.ts";
import { modprobeFiles, readText } from "../image/module-tree.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import { describeIso, describeLive, describeOverlay } from "./live.ts";
import { LOGIN_SHELL } from "../unlock/login.ts";
import { planNetRoot } from "./netroot.ts";
import { describeNetwork, describeNetworkEnd } from "./network.ts";
import { describeCheck, describeFstab, describeResume, describeStorage } from "./storage.ts";
import { type ModuleConfig, readConfig } from "../modules/config.ts";
import { type Word, longestLine_bytes, parseCommandLine } from "../boot/cmdline/cmdline.ts";
import { newRoot } from "../boot/context.ts";
import { type DeviceRef, describeRef } from "../boot/devices/deviceref.ts";
import { readExitrdSettings } from "../boot/handover/keep-exitrd.ts";
import { chooseHooks, hooksDirectory, unknownPoints } from "../boot/hooks.ts";
import { ownInit } from "../boot/handover/in-place.ts";
import { initWords } from "../boot/cmdline/initwords.ts";
import { listedKernel } from "../boot/cmdline/kernelwords.ts";
import { flagNames } from "../boot/mount/mountoptions.ts";
import { readLiveSettings } from "../boot/live/settings.ts";
import { baseMounts } from "../boot/mount/mounts.ts";
import { initCandidates, refuseInit } from "../boot/handover/newinit.ts";
import type { Options } from "../boot/cmdline/options.ts";
import type { HookPoint } from "../boot/points.ts";
import { packedFile, readParameters } from "../boot/cmdline/packed.ts";
import { chooseRoot, planMount } from "../boot/root.ts";

export interface BootPlan {
  /** Sentences, in the order of the boot. */
  readonly steps: readonly string[];
  /** What the boot stops at, whatever the machine is like; undefined when nothing stands against it. */
  readonly obstacle: string | undefined;
}

/**
 * Plans the boot for a kernel command line, a byte string, and for the files of an image where there is one.
 * Without one, its parameters, hooks and lists of modules are not known, and taken not to be there.
 */
export function planBoot(whole: string, image?: FileTree): BootPlan {
  const line = whole.slice(0, longestLine_bytes);
  const parameters = readParameters(line, image && readText(image, packedFile));
  const { options, words } = parameters;
  const hooks = (point: HookPoint): string[] => describeHooks(image, point);
  const steps = [
    ...describeStart(line),
    ...warnings([...parameters.complaints, ...unknownPoints(image?.list(hooksDirectory) ?? [])]),
    `Mount ${conjunction(baseMounts.map(({ target }) => target))}.`,
    ...hooks("cmdline"),
    ...hooks("pre-trigger"),
    ...describeModules(readConfig(image ? modprobeFiles(image) : [], words)),
  ];
  try {
    const mayMount = chosenHooks(image, "mount").hooks.length > 0;
    const inPlace = ownInitOf(image, options);
    if (inPlace !== undefined && !mayMount) {
      steps.push(...describeResume(words), ...hooks("pre-mount"), ...hooks("pre-pivot"), ...hooks("cleanup"));
      steps.push(`Mount no root: none is named, and the image is a system of its own with ${text(inPlace)}.`);
      steps.push(...describeHandOver(line, { ...options, init: inPlace }));
      return { steps, obstacle: undefined };
    }
    const net = planNetRoot(words, options);
    const root = net.mount === undefined ? chooseRoot(options.root, mayMount) : undefined;
    const network = describeNetwork(words, net.why, image?.resolve(LOGIN_SHELL) !== undefined);
    steps.push(...network.steps, ...describeResume(words), ...net.steps, ...describeDelay(options));
    if (root !== undefined)
      steps.push(...describeIso(words), ...describeRoot(root, options), ...describeStorage(words));
    steps.push(...hooks("pre-mount"), ...hooks("mount"));
    if (root !== undefined && root !== "left to hooks") steps.push(...describeCheck(words));
    steps.push(...(net.mount ?? (root === undefined ? [] : describeMount(root, options, words))));
    steps.push(...describeOverlay(words), ...describeFstab(words));
    steps.push(...hooks("pre-pivot"), "Wait until no module is being loaded any more.");
    steps.push(...hooks("cleanup"), ...describeExitrd(words));
    steps.push(...describeNetworkEnd(network.isUp, net.why !== undefined));
    steps.push(...describeHandOver(line, options));
    steps.push(describeRescue(options, hooks("emergency").length > 0));
    return { steps, obstacle: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { steps, obstacle: describe(error) };
  }
}

/** The init of a whole system in memory, as findOwnInit() sees it. */
function ownInitOf(image: FileTree | undefined, { root, init }: Options): string | undefined {
  const found = root === undefined ? image?.resolve(init ?? ownInit) : undefined;
  return found === undefined || found.path === "/init" ? undefined : (init ?? ownInit);
}

// The kernel's rdinit=, which is how an image's other programs become process 1.
function describeStart(line: string): string[] {
  const program = parseCommandLine(line).findLast(({ name }) => name === "rdinit")?.value ?? "/init";
  return program === "/init"
    ? []
    : [`The kernel starts ${text(program)} in place of /init. If that is rdinit too:`];
}

function warnings(complaints: readonly string[]): string[] {
  return complaints.map((complaint) => `Warn: ${complaint}`);
}

function chosenHooks(image: FileTree | undefined, point: HookPoint): ReturnType<typeof chooseHooks> {
  return chooseHooks(image?.list(`${hooksDirectory}/${point}`) ?? []);
}

function describeHooks(image: FileTree | undefined, point: HookPoint): string[] {
  const { hooks, complaints } = chosenHooks(image, point);
  const said = warnings(complaints.map((complaint) => `${hooksDirectory}/${point}/${complaint}`));
  return hooks.length === 0 ? said : [...said, `Run the hooks of ${point}: ${hooks.join(", ")}.`];
}

function describeModules({ first, last, blacklist, never, options }: ModuleConfig): string[] {
  // What begins with rd. or fsck. is ours, and no module's.
  const others = [...options].filter(([module]) => module !== "rd" && module !== "fsck");
  const parameters = others.map(([module, value]) => `${text(module)} (${text(value)})`);
  const refused = [...new Set([...blacklist, ...never.keys()])].toSorted().map(text);
  return [
    ...(first.length > 0 ? [`Load the modules ${first.map(text).join(", ")} before all others.`] : []),
    `Load the kernel modules that the devices ask for${refused.length > 0 ? `, but not ${refused.join(", ")}` : ""}.`,
    ...(parameters.length > 0
      ? [`Give parameters to the modules that are loaded: ${parameters.join(", ")}.`]
      : []),
    ...(last.length > 0 ? [`Load the modules ${last.map(text).join(", ")} after all others.`] : []),
  ];
}

function describeDelay({ rootDelay_ms }: Options): string[] {
  return rootDelay_ms > 0 ? [`Pause ${rootDelay_ms / 1000} s.`] : [];
}

function describeRoot(root: DeviceRef | "left to hooks", { deviceTimeout_ms }: Options): string[] {
  if (root === "left to hooks") return [`Leave the root to the hooks of mount: root= names no block device.`];
  const long = deviceTimeout_ms === undefined ? "for ever" : `for at most ${deviceTimeout_ms / 1000} s`;
  return [`Wait ${long} until ${describeRef(root)} is there.`];
}

function describeMount(
  root: DeviceRef | "left to hooks",
  options: Options,
  words: readonly Word[],
): string[] {
  if (root === "left to hooks") return [`Go on if ${newRoot} is a mount now.`];
  const { types, flags, data } = planMount(options, words);
  if (readLiveSettings(words).settings.live) return describeLive(words);
  const as = types.length > 0 ? types.map(text).join(" or ") : "the filesystem that its superblock names";
  const names = flagNames(flags & ~MS_RDONLY);
  const given = [...names, ...(data === "" ? [] : [text(data)])];
  const how = (flags & MS_RDONLY) === 0 ? "read-write" : "read-only";
  return [
    `Mount it on ${newRoot} as ${as}, ${how}${given.length > 0 ? `, with the options ${given.join(",")}` : ""}.`,
  ];
}

function describeExitrd(words: readonly Word[]): string[] {
  return readExitrdSettings(words).keep
    ? ["Keep this program in /run/initramfs, for the end of the system."]
    : [];
}

function describeHandOver(line: string, { init }: Options): string[] {
  const refusal = refuseInit(init);
  if (refusal !== undefined) throw refusal;
  const { args, env, taken, overflow } = initWords(line);
  if (overflow !== undefined) throw new UserError(overflow);
  const candidates = initCandidates(init).map(text);
  const which =
    candidates.length === 1 ? candidates[0] : `the first of ${candidates.join(", ")} that can be started`;
  return [
    `End all processes, and hand over to ${which}, with ${args.length > 0 ? `the arguments ${list(args)}` : "no arguments"}.`,
    `Its environment is ${list(env)}.`,
    ...(taken.length > 0
      ? [
          `The kernel keeps for itself: ${list(taken)}. (A kernel that was built without one of them hands it on; the list is of ${listedKernel}.)`,
        ]
      : []),
  ];
}

function describeRescue({ shell }: Options, hasHooks: boolean): string {
  const hooks = hasHooks ? "run the hooks of emergency, then " : "";
  return `Where something fails: ${hooks}${shell === false ? "start no rescue shell" : "start a rescue shell, if the image holds /bin/sh"}.`;
}

function list(words: readonly string[]): string {
  return words.map((word) => `'${text(word)}'`).join(" ");
}

function conjunction(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
