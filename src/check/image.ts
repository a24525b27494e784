/** Would an image boot? All the questions, in an order in which the answers make sense. */

import type { Syscalls } from "../../syscalls/index.ts";
import { hooksDirectory } from "../boot/hooks.ts";
import { packedFile, type Parameters, readParameters } from "../boot/cmdline/packed.ts";
import { readNetRootSettings } from "../boot/netroot/settings.ts";
import { planBoot } from "../plan/plan.ts";
import { chooseRoot } from "../boot/root.ts";
import type { Archive } from "../image/archive.ts";
import { ArchiveTree } from "../image/archive-tree.ts";
import { exposure, privateFiles } from "../image/exposure.ts";
import { readText } from "../image/module-tree.ts";
import type { RootTree } from "../image/root-tree.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { checkInit, checkPrograms, checkWhole } from "./contents.ts";
import { error, type Finding, warning } from "./finding.ts";
import { checkLive } from "./live.ts";
import { checkModules, checkUnpacking, readImageModules } from "./kernel.ts";
import { checkNetwork } from "./network.ts";
import { checkMemory, checkRoot, type ImageView } from "./machine.ts";

/** What an image is held against. */
export interface Circumstances {
  /** The kernel command line, a byte string. */
  readonly line: string;
  /** The kernel's release, when it matters which. */
  readonly kernel: string | undefined;
  /** The root of the machine, for the kernels that are installed there. */
  readonly root: RootTree;
  /** This machine's kernel, when the image shall boot here: its disks are looked at. */
  readonly sys: Syscalls | undefined;
  /** Bytes. */
  readonly memory: number;
}

/** Everything that is to be said about the image, whose file at `path` has `size` bytes. */
export async function checkImage(
  archive: Archive,
  path: string,
  size: number,
  circumstances: Circumstances,
): Promise<Finding[]> {
  const tree = new ArchiveTree(archive, text(path));
  const whole = checkWhole(archive, tree);
  // Of what can't be read to its end nothing more can be said.
  if (archive.segments.length === 0) return whole;
  const { line, kernel, root, memory } = circumstances;
  const unpacked = archive.segments.reduce((sum, { unpackedSize }) => sum + unpackedSize, 0);
  const modules = readImageModules(tree, kernel);
  return [
    ...whole,
    ...checkInit(tree, line),
    ...checkPrograms(tree),
    ...checkModules(tree, root, kernel),
    ...checkUnpacking(archive, root, modules?.release ?? kernel),
    ...checkParameters(tree, line),
    ...checkNetwork(tree, modules, parametersOf(tree, line), circumstances.sys && root),
    ...checkLive(parametersOf(tree, line).words, modules?.index),
    ...checkExposure(tree, path),
    ...(await checkDevice(tree, modules, circumstances)),
    ...checkMemory({ file: size, unpacked }, memory),
  ];
}

/** What /init would say of the command line, and what it would stop at. */
function checkParameters(tree: ArchiveTree, line: string): Finding[] {
  const { obstacle } = planBoot(line, tree);
  return [
    ...parametersOf(tree, line).complaints.map(warning),
    ...(obstacle === undefined ? [] : [error(obstacle)]),
  ];
}

function parametersOf(tree: ArchiveTree, line: string): Parameters {
  return readParameters(line, readText(tree, packedFile));
}

function checkExposure(tree: ArchiveTree, path: string): Finding[] {
  const files = tree.entries().map(({ path: place, node }) => ({ ...node, path: place }));
  return exposure(path, privateFiles(files)).map(warning);
}

async function checkDevice(
  tree: ArchiveTree,
  modules: ImageView["modules"],
  { line, root, sys }: Circumstances,
): Promise<Finding[]> {
  if (sys === undefined) return [];
  const { options, words } = parametersOf(tree, line);
  const { settings } = readNetRootSettings(words);
  if (settings.root !== undefined) return [];
  try {
    const ref = chooseRoot(options.root, tree.list(`${hooksDirectory}/mount`).length > 0);
    const isAttached = settings.dhcp || settings.disks.length > 0;
    return ref === "left to hooks"
      ? []
      : await checkRoot(sys, root, { tree, modules }, ref, options, isAttached);
  } catch (failure) {
    // The plan has said already what is wrong with root=.
    if (failure instanceof UserError) return [];
    throw failure;
  }
}
