/** Whether an image would find and mount the root of this machine, and whether the machine has the memory for it. */

import type { Syscalls } from "../../syscalls/index.ts";
import { BlockDevices } from "../boot/devices/blockdevices.ts";
import { type DeviceRef, describeRef } from "../boot/devices/deviceref.ts";
import { findDevice } from "../boot/devices/finddevice.ts";
import type { Options } from "../boot/cmdline/options.ts";
import type { ArchiveTree } from "../image/archive-tree.ts";
import { allLayers, describeLayer, examineDevice, type Layer } from "../image/host/examine.ts";
import { parseMountinfo } from "../image/host/mountinfo.ts";
import { moduleIndex, readText } from "../image/module-tree.ts";
import { findRecipe } from "../image/recipes/index.ts";
import { findProgram } from "../image/recipes/look.ts";
import type { RootTree } from "../image/root-tree.ts";
import { text } from "../lib/bytes.ts";
import type { ModuleIndex } from "../modules/index.ts";
import { error, fact, type Finding, warning } from "./finding.ts";
import type { ImageModules } from "./kernel.ts";
import { type ImageSize, KERNEL_AND_RUNTIME, memoryNeeded } from "./memory.ts";

/** What is held against the machine. */
export interface ImageView {
  readonly tree: ArchiveTree;
  readonly modules: ImageModules | undefined;
}

/**
 * The device that `ref` means on this machine, and whether the image has all that leads to it. `isAttached` tells that
 * the command line names disks of the network.
 */
export async function checkRoot(
  sys: Syscalls,
  machine: RootTree,
  image: ImageView,
  ref: DeviceRef,
  options: Options,
  isAttached: boolean,
): Promise<Finding[]> {
  const devices = new BlockDevices(sys);
  devices.scan();
  const found = await findDevice(sys, devices, ref);
  if (found === undefined) return [warning(await notFound(devices, ref))];
  const { device } = found;
  const { found: superblock } = await device.contents();
  const type =
    options.rootTypes[0] ??
    (superblock?.usage === "filesystem" ? superblock.type : mountedType(machine, device.rdev));
  const { layers, tools } = examineDevice(machine, device.rdev, type);
  const here = readMachineModules(machine, image.modules?.release);
  const all = allLayers(layers);
  return [
    ...layers.map((layer) => fact(`${describeRef(ref)}: ${describeLayer(layer)}.`)),
    ...all.flatMap((layer) => checkLayer(layer, image, here, isAttached)),
    ...tools.filter(({ name }) => !name.startsWith("fsck")).flatMap((tool) => checkTool(tool, image.tree)),
  ];
}

// A disk that can't be read, as by an ordinary user, may be mounted.
function mountedType(machine: RootTree, rdev: string): string | undefined {
  const mounts = parseMountinfo(readText(machine, "/proc/self/mountinfo") ?? "");
  return mounts.find((mount) => mount.rdev === rdev)?.type;
}

/** Whether so many bytes of memory are enough for an image. */
export function checkMemory(size: ImageSize, memory: number): Finding[] {
  const { file, unpacked } = size;
  const needed = memoryNeeded(size);
  const numbers = `${megabytes(needed)} of memory (the file ${megabytes(file)}, its files ${megabytes(unpacked)}, the kernel and /init about ${megabytes(KERNEL_AND_RUNTIME)})`;
  if (needed <= memory) return [fact(`It takes ${numbers}; there are ${megabytes(memory)}.`)];
  return [
    error(`It takes ${numbers}, and there are only ${megabytes(memory)}: the kernel could not unpack it.`),
  ];
}

// What /init can set up; for the others it knows no tool yet.
const REACHED: ReadonlySet<Layer["kind"]> = new Set([
  ...(["file system", "partition", "disk"] as const),
  ...(["array", "volume", "encryption"] as const),
]);

function checkLayer(
  layer: Layer,
  { modules }: ImageView,
  here: ModuleIndex | undefined,
  isAttached: boolean,
): Finding[] {
  const findings: Finding[] = [];
  if (layer.isOnNetwork === true) {
    if (!isAttached)
      findings.push(
        warning(
          `The root is on ${text(layer.node)} (${text(layer.what)}), a disk over the network, and no netroot= says how to attach it.`,
        ),
      );
  } else if (!REACHED.has(layer.kind))
    findings.push(
      error(
        `The root is on ${text(layer.node)} (${text(layer.what)}), and this rdinit can't set up a root on such a device yet.`,
      ),
    );
  for (const module of neededModules(layer, here))
    if (modules === undefined || !isThere(modules.index, module))
      findings.push(
        error(`${text(layer.node)} needs the module ${text(module)}, which is not in the image.`),
      );
  return findings;
}

// Those that are loaded for it, and those by which the same kernel would find a driver for it.
function neededModules({ modules, modulesIfThere }: Layer, here: ModuleIndex | undefined): Set<string> {
  const byAlias = modulesIfThere
    .filter((name) => name.includes(":") || name.startsWith("fs-"))
    .flatMap((name) => here?.resolve(name).modules ?? []);
  const loaded = modules.filter((name) => here === undefined || here.module(name) !== undefined);
  return new Set([...loaded, ...byAlias]);
}

function isThere(index: ModuleIndex, module: string): boolean {
  return index.module(module) !== undefined || index.isBuiltin(module);
}

// The lists of the same kernel as it is installed here.
function readMachineModules(machine: RootTree, release: string | undefined): ModuleIndex | undefined {
  if (release === undefined || !machine.resolve(`/lib/modules/${release}/modules.dep`)) return undefined;
  return moduleIndex(machine, `/lib/modules/${release}`);
}

function checkTool({ name, why }: { name: string; why: string }, tree: ArchiveTree): Finding[] {
  const programs = findRecipe(name)?.programs ?? [name];
  return programs
    .filter((program) => findProgram(tree, program) === undefined)
    .map((program) => error(`The program ${text(program)} is not in the image, and ${why}.`));
}

async function notFound(devices: BlockDevices, ref: DeviceRef): Promise<string> {
  const contents = await Promise.all(devices.all().map((device) => device.contents()));
  const unread = contents.some(({ problem }) => problem !== undefined);
  const why = unread ? ": not all of its disks can be read, which root may do" : "";
  return `This machine has no ${describeRef(ref)}${why}. So the drivers of the root are not checked.`;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
