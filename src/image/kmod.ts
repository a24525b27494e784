/** The kernel modules of an image: those asked for, what they need, their firmware, and lists of just these. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { ConfigFile } from "../modules/config.ts";
import type { ModuleIndex } from "../modules/index.ts";
import { moduleName } from "../modules/names.ts";
import { planModules, type Plan, type Step } from "../modules/plan.ts";
import type { FileData } from "./cpio.ts";
import { findFirmware, type Firmware } from "./firmware.ts";
import { lackNotes, lackSentences, type Lack } from "./lacks.ts";
import { pathInImage, reducedLists } from "./module-lists.ts";
import { moduleInfoValues, type ModuleInfo } from "./modinfo.ts";
import { packModule, readModuleFile } from "./module-file.ts";
import type { FileTree } from "./file-tree.ts";
import { modprobeFiles, moduleIndex, modulesDirectories, readText, refuseUnlisted } from "./module-tree.ts";

/** What to put into an image. */
export interface ModuleRequest {
  /** The kernel's release, as uname -r says it and as its directory in /lib/modules is called. */
  readonly release: string;
  /** Its modules directory within the root, when that is another one than /lib/modules/RELEASE. */
  readonly directory?: string;
  /** Modules, aliases or modaliases that must be there. */
  readonly names: Iterable<string>;
  /** The same, left out with a note where there are none. */
  readonly expected?: Iterable<string>;
  /** The same, but left out without a word where there are none. */
  readonly ifThere?: Iterable<string>;
  /** Modules lie in the image compressed by zstd, but for those of many boots: for an image of which a machine loads few. */
  readonly packed?: boolean;
}

/** A module for an image. */
export interface ImageModule {
  readonly name: string;
  /** Below the modules directory: "kernel/fs/ext4/ext4.ko", with ".zst" when it is packed. */
  readonly path: string;
  readonly data: FileData;
  /** What it says about itself. */
  readonly info: ModuleInfo;
  /** The name by which it was asked for; undefined when others brought it along. */
  readonly askedAs: string | undefined;
  /** What brought it along, as in "needed by md_mod". */
  readonly why: string | undefined;
}

/** All that an image holds of a kernel's modules. */
export interface ModuleSet {
  readonly modules: readonly ImageModule[];
  readonly firmware: readonly Firmware[];
  /** modules.dep and the like, by name, holding just these modules. */
  readonly lists: ReadonlyMap<string, string>;
  /** Sentences about what was left out; few, however much it is. */
  readonly notes: readonly string[];
  /** A sentence for each thing that was left out. */
  readonly details: readonly string[];
}

/**
 * Collects modules from `root`, with what they need, their soft and weak dependencies, and their firmware, which
 * may lie in another root.
 * Weak dependencies and firmware that are not installed are left out with a note.
 * @throws UserError when one of `names` is unknown, when modules.dep is missing, or when a file is damaged
 */
export function collectModules(
  root: FileTree,
  request: ModuleRequest,
  firmwareRoot: FileTree = root,
): ModuleSet {
  const { release, names, expected = [], ifThere = [], packed = false } = request;
  const directory = request.directory ?? modulesDirectory(root, release);
  const index = moduleIndex(root, directory, dependenciesOf(firmwareRoot));
  const wanted = [...names];
  const known = [...expected, ...ifThere].filter((name) => index.isKnown(name));
  const plan = planWithWeak(index, [...wanted, ...known]);
  refuseUnknown(plan, release, root.outside(directory));

  const why = reasons(plan.steps);
  const asked = new Map(
    [...wanted, ...known].flatMap((name) => index.resolve(name).modules.map((module) => [module, name])),
  );
  const endingOf = (file: string): string => (packed && !OFTEN.has(moduleName(file)) ? PACKED : "");
  const modules = plan.steps.map((step) => ({
    ...withEnding(readModule(root, directory, step), endingOf(step.file)),
    askedAs: asked.get(step.name),
    why: why.get(step.name),
  }));
  const { firmware, lacks } = collectFirmware(firmwareRoot, release, modules);
  for (const { name, wantedBy } of plan.missing)
    if (wantedBy !== undefined) lacks.push({ kind: "module", name, wantedBy });
  for (const name of expected)
    if (!index.isKnown(name)) lacks.push({ kind: "module", name, wantedBy: "this machine" });
  return {
    modules,
    firmware,
    lists: reducedLists((name) => readText(root, `${directory}/${name}`), plan.steps, endingOf),
    notes: lackNotes(lacks),
    details: lackSentences(lacks),
  };
}

// Of modprobe.d what brings modules along. What keeps them away is for the boot to heed.
function dependenciesOf(root: FileTree): ConfigFile[] {
  return modprobeFiles(root).map(({ name, text: lines }) => ({
    name,
    text: (lines.match(/^[ \t]*(?:softdep|weakdep)[ \t].*$/gm) ?? []).join("\n"),
  }));
}

function collectFirmware(
  root: FileTree,
  release: string,
  modules: readonly Pick<ImageModule, "name" | "info">[],
): { firmware: Firmware[]; lacks: Lack[] } {
  const byName = new Map<string, readonly Firmware[]>();
  const lacks: Lack[] = [];
  for (const { name: wantedBy, info } of modules)
    for (const name of moduleInfoValues(info, "firmware")) {
      const found = byName.get(name) ?? findFirmware(root, release, name);
      byName.set(name, found);
      if (found.length === 0) lacks.push({ kind: "firmware", name, wantedBy });
    }
  // A pattern and a name may stand for the same file.
  const byPath = new Map([...byName.values()].flat().map((one) => [one.path, one]));
  return { firmware: [...byPath.values()], lacks };
}

/**
 * Where the modules of a kernel are in `root`.
 * @throws UserError when they are not there, or have no modules.dep
 */
export function modulesDirectory(root: FileTree, release: string): string {
  const directory = modulesDirectories(release).find((path) => root.resolve(path)?.type === "directory");
  if (directory === undefined || !/^[^/]+$/.test(release) || release.startsWith(".")) {
    const there = root.list("/lib/modules");
    throw new UserError(
      `There are no modules for the kernel ${text(release)} in ${text(root.outside("/lib/modules"))}.`,
      there.length > 0 ? `It has those of ${there.map(text).join(", ")}.` : "Install the kernel's package.",
    );
  }
  if (!root.resolve(`${directory}/modules.dep`)) refuseUnlisted(root, release, directory);
  return directory;
}

// Weak dependencies are no part of a plan, as nobody loads them; here they are wanted until no new ones appear.
function planWithWeak(index: ModuleIndex, wanted: readonly string[]): Plan {
  const all = new Set(wanted);
  for (;;) {
    const plan = planModules(index, all, new Set());
    const size = all.size;
    for (const { name } of plan.steps)
      for (const weak of index.config.weak.get(name) ?? []) if (index.isKnown(weak)) all.add(weak);
    if (all.size === size) return plan;
  }
}

function refuseUnknown(plan: Plan, release: string, directory: string): void {
  const unknown = plan.missing.filter(({ wantedBy }) => wantedBy === undefined).map(({ name }) => text(name));
  if (unknown.length > 0)
    throw new UserError(
      `The kernel ${release} has no module ${unknown.join(", ")}.`,
      `Look for its name in ${text(directory)}/modules.dep, or leave it out.`,
    );
  const [broken] = plan.refused;
  if (broken)
    throw new UserError(
      `The module ${broken.name} can't be put into the image: ${broken.why}.`,
      `Run depmod ${release}, or install the kernel's package again.`,
    );
}

function readModule(
  root: FileTree,
  directory: string,
  { name, file }: Step,
): Omit<ImageModule, "askedAs" | "why"> {
  const path = file.startsWith("/") ? file : `${directory}/${file}`;
  const module = readModuleFile(root, path);
  if (!module)
    throw new UserError(
      `${text(root.outside(path))} is missing, though modules.dep lists it.`,
      "Run depmod, or install the kernel's package again.",
    );
  return { name, path: pathInImage(file), ...module };
}

/** What ends the name of a file that is compressed by zstd. */
const PACKED = ".zst";

/**
 * What many machines load to reach their roots. To unpack ext4 takes a boot 20 ms, its 1.5 MB more in the image 5 ms.
 */
const OFTEN: ReadonlySet<string> = new Set([
  ...["ext4", "jbd2", "mbcache", "crc16", "crc32c_generic", "crc32c_intel", "sha256_ssse3"],
  ...["virtio", "virtio_ring", "virtio_pci", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_blk"],
  ...["scsi_common", "scsi_mod", "sd_mod", "libata", "libahci", "ahci", "nvme", "nvme_core"],
]);

function withEnding<T extends Pick<ImageModule, "path" | "data">>(module: T, ending: string): T {
  return ending === "" ? module : { ...module, path: module.path + ending, data: packModule(module.data) };
}

function reasons(steps: readonly Step[]): Map<string, string> {
  const why = new Map<string, string>();
  for (const { name, after } of steps) {
    const [soft] = after;
    if (soft !== undefined) why.set(name, `goes with ${soft}`);
    for (const other of after) why.set(other, `goes with ${name}`);
  }
  for (const { name, needs } of steps) for (const need of needs) why.set(need, `needed by ${name}`);
  return why;
}
