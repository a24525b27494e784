/**
 * Pictures of real boots, in the guest's deterministic time (`make chart`):
 *
 *   bun qemu/chart.ts [plain|drivers|generic|stack] [--from SECONDS|init] [--append "PARAMETERS"] [-o FILE]
 *
 *   plain     the image of `make run` and its ext4 root
 *   drivers   LUKS on LVM on RAID1, the image with what that takes and a key file
 *   generic   the plain root, the image for any machine
 *   stack     LUKS on LVM on RAID1, the image for any machine with a key file; what is drawn when nothing is named
 *
 * The record is build/bench/chart-NAME.json. Without -o, stack writes qemu/bench/boot.svg, the README's picture,
 * and the others build/bench/chart-NAME.svg.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import minimist from "minimist";
import { join } from "node:path";
import { formatRecord } from "../src/boot/timing/save.ts";
import type { BootRecord } from "../src/chart/record.ts";
import { UserError, describe } from "../src/lib/errors.ts";
import { BENCH_DIR, BENCH_UUID, markTree, onMachine } from "./bench/boot.ts";
import { genericImage } from "./bench/build.ts";
import { stackImage, stackParameters } from "./bench/images.ts";
import { STACKS, type Stack } from "./bench/stacks.ts";
import { makeDisk } from "./disks.ts";
import { PROJECT, run } from "./host.ts";
import { runImage } from "./images.ts";
import { type Kernel, stockKernel } from "./kernel.ts";
import { makeDisksInGuest } from "./maker.ts";
import { readBootRecord, recordInit } from "./timing.ts";
import type { Tree } from "./tree.ts";

/** What is booted. */
interface Scene {
  readonly initrd: (kernel: Kernel) => Promise<string>;
  readonly disks: (tree: Tree) => Promise<string[]>;
  readonly parameters: string;
}

const SCENES: Readonly<Record<string, Scene>> = {
  plain: { initrd: (kernel) => runImage(kernel, ["ext4"]), disks: plainDisk, parameters: "" },
  generic: { initrd: (kernel) => genericImage(kernel, "none"), disks: plainDisk, parameters: "" },
  ...stackScenes(STACKS.at(-1)),
};

const TIMEOUT_MS = 600_000;

async function main(argv: readonly string[]): Promise<void> {
  const args = minimist([...argv], { string: ["o", "from", "append", "_"] });
  const name = args._[0] ?? "stack";
  const scene = Object.hasOwn(SCENES, name) ? SCENES[name] : undefined;
  if (scene === undefined)
    throw new UserError(`'${name}' is none of the boots ${Object.keys(SCENES).join(", ")}.`);
  mkdirSync(BENCH_DIR, { recursive: true });
  const usual = join(PROJECT, name === "stack" ? "qemu/bench/boot.svg" : `build/bench/chart-${name}.svg`);
  const file = typeof args["o"] === "string" ? args["o"] : usual;
  const json = join(BENCH_DIR, `chart-${name}.json`);
  writeFileSync(json, formatRecord(await boot(name, scene, String(args["append"] ?? ""))));
  const from = typeof args["from"] === "string" ? ["--from", args["from"]] : [];
  await run([join(PROJECT, "build/rdinit"), "chart", json, "-o", file, ...from]);
  console.log(file);
}

async function boot(name: string, { initrd, disks, parameters }: Scene, more: string): Promise<BootRecord> {
  const kernel = await stockKernel();
  const tree = (await markTree()).filter(({ path }) => path !== "/sbin/init");
  const options = {
    name: `chart-${name}`,
    kernel: kernel.vmlinuz,
    initrd: await initrd(kernel),
    append: `root=UUID=${BENCH_UUID}${parameters} rd.timing ${more}`,
    disks: await disks([...tree, ...(await recordInit())]),
  };
  return onMachine(options, async (machine) => {
    const { record } = await readBootRecord(machine, TIMEOUT_MS);
    if (record === undefined) throw new Error(machine.console.failure("The boot has left no record"));
    return record;
  });
}

function stackScenes(stack: Stack | undefined): Record<string, Scene> {
  if (stack === undefined) return {};
  const disks = (tree: Tree): Promise<string[]> => makeDisksInGuest(stack.recipe(tree));
  const parameters = stackParameters(stack);
  return {
    drivers: { initrd: (kernel) => stackImage(kernel, stack, "drivers"), disks, parameters },
    stack: { initrd: (kernel) => stackImage(kernel, stack, "generic"), disks, parameters },
  };
}

async function plainDisk(tree: Tree): Promise<string[]> {
  mkdirSync(BENCH_DIR, { recursive: true });
  const file = join(BENCH_DIR, "chart.img");
  await makeDisk({ file, type: "ext4", tree, uuid: BENCH_UUID });
  return [file];
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`chart: ${describe(error)}`);
  process.exit(1);
}
