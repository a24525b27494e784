/** A boot measured in the guest's own, deterministic time: one instruction is one nanosecond. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDisk } from "../disks.ts";
import { compile, PROJECT } from "../host.ts";
import { stockKernel } from "../kernel.ts";
import { type Machine, startMachine } from "../machine.ts";
import { ROOT_FOLDERS, type Tree } from "../tree.ts";

/** Where the benchmark puts its images and its disk. */
export const BENCH_DIR = join(PROJECT, "build/bench");

/** UUID of the root that the benchmark makes. */
export const BENCH_UUID = "be9c4a5e-0000-4000-8000-0000000be9c4";

export interface BenchOptions {
  readonly name: string;
  readonly kernel: string;
  readonly initrd?: string;
  /** The files of its disks. */
  readonly disks: readonly string[];
  readonly append: string;
  /** 1024 when left out. */
  readonly memory_mb?: number;
  /** 3 when left out. */
  readonly runs?: number;
  /** More arguments of QEMU. */
  readonly arguments?: readonly string[];
  /** As fast as QEMU can, and no two boots the same: for what is no question of time. */
  readonly fast?: boolean;
  /** After so long the machine is ended; 660000 when left out. */
  readonly timeout_ms?: number;
}

/**
 * Virtual seconds, of the shortest run: what a disk's answers take is real time, so a busy machine adds to them, and
 * nothing takes away.
 */
export interface BenchRow {
  readonly name: string;
  readonly image_mb: number;
  /** From the start of the kernel's clock to the start of /init. */
  readonly to_init: number;
  /** From there to the first act of the real init. */
  readonly to_real_init: number;
  readonly total: number;
  /** Between the shortest and the longest `total`; undefined when there was one run. */
  readonly spread: number | undefined;
  /** What is free when the real init begins, of `memory_mb` of the machine. */
  readonly free_mb: number;
  /** The least memory in steps of STEP_MB that it boots with (smallest.ts); undefined when that was not looked for. */
  readonly smallest_mb?: number | undefined;
}

/** Boots some times and measures. Throws Error when a mark is missing. */
export async function measure(options: BenchOptions): Promise<BenchRow> {
  const first = await measureOnce(options);
  const runs = [first];
  while (runs.length < (options.runs ?? 3)) runs.push(await measureOnce(options));
  const totals = runs.map((run) => run.total);
  const shortest = runs.toSorted((a, b) => a.total - b.total)[0] ?? first;
  return {
    name: options.name,
    image_mb: options.initrd === undefined ? 0 : statSync(options.initrd).size / 1e6,
    to_init: shortest.to_init,
    to_real_init: shortest.total - shortest.to_init,
    total: shortest.total,
    spread: totals.length > 1 ? Math.max(...totals) - Math.min(...totals) : undefined,
    free_mb: shortest.free_mb,
  };
}

/** How rdinit's program begins, in virtual milliseconds since the kernel started /init. */
export interface Beginning {
  /** The first instruction, of the entry stub. */
  readonly stub_ms: number;
  /** The first line of TypeScript. */
  readonly program_ms: number;
}

/**
 * Boots once with rd.timing, whose record has these times; mark.c tells them, and how far the record's clock is behind
 * that of the kernel's log, which has the start of /init. Throws Error when a mark is missing.
 */
export async function measureBeginning(options: BenchOptions): Promise<Beginning> {
  return onMachine({ ...options, append: `${options.append} rd.timing` }, async ({ console }) => {
    const started = await console.expect(STARTED, PATIENCE_MS);
    const told = await console.expect(RECORDED, PATIENCE_MS);
    const [logged = 0, init = 0, program = 0, now = 0] = told.slice(1).map(Number);
    const ahead_ms = (logged - Number(started[1])) * 1000 - now / 1000;
    return { stub_ms: init / 1000 + ahead_ms, program_ms: program / 1000 + ahead_ms };
  });
}

/** The disk of the benchmark, made anew: ext4, BENCH_UUID, mark.c as its init. */
export async function benchDisk(): Promise<string> {
  mkdirSync(BENCH_DIR, { recursive: true });
  const file = join(BENCH_DIR, "root.img");
  await makeDisk({ file, type: "ext4", tree: await markTree(), uuid: BENCH_UUID });
  return file;
}

/** What is on the root: mark.c is its init. */
export async function markTree(): Promise<Tree> {
  const mark = await compile("mark", [join(import.meta.dir, "../mark.c")]);
  return [
    ...ROOT_FOLDERS,
    { path: "/sbin/init", kind: "file", from: mark, mode: 0o755 },
    // systemctl(1) in the image of dracut hands over to nothing without it.
    { path: "/etc/os-release", kind: "text", text: "ID=benchmark\n" },
    // A root has the modules of its kernel, and udev: rdinit leaves to it what it has not begun to load.
    { path: `/lib/modules/${(await stockKernel()).version}/modules.dep`, kind: "text", text: "" },
    { path: "/usr/lib/systemd/systemd-udevd", kind: "text", text: "", mode: 0o755 },
  ];
}

interface Run {
  readonly to_init: number;
  readonly total: number;
  readonly free_mb: number;
}

const STARTED = /\[ *([\d.]+)\] Run \/\S+ as init process/;

/** The first words of the real init. */
export const REAL_INIT = /\[ *([\d.]+)\] benchmark: the real init runs/;

const RECORDED = /\[ *([\d.]+)\] benchmark: init (\d+), program (\d+), now (\d+)\n/;

/** A guest that has not come to its real init after so long never will. */
const PATIENCE_MS = 600_000;

async function measureOnce(options: BenchOptions): Promise<Run> {
  return onMachine(options, async ({ console }) => {
    const init = await console.expect(STARTED, PATIENCE_MS);
    const real = await console.expect(REAL_INIT, PATIENCE_MS);
    const free = await console.expect(/benchmark: (\d+) kB are free/, PATIENCE_MS);
    return { to_init: Number(init[1]), total: Number(real[1]), free_mb: Number(free[1]) / 1024 };
  });
}

/** Boots, in the guest's deterministic time when nothing else is asked for, on copies of the disks in memory, for as long as `use` takes. */
export async function onMachine<T>(options: BenchOptions, use: (machine: Machine) => Promise<T>): Promise<T> {
  const memory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rdinit-bench-"));
  try {
    await using machine = await startMachine({
      name: `bench-${options.name.replaceAll(/\W+/g, "-")}`,
      kernel: options.kernel,
      ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
      append: `${options.append} printk.time=1 loglevel=7`,
      disks: inMemory(options.disks, memory).map((file) => ({ file, snapshot: false })),
      memory_mb: options.memory_mb ?? 1024,
      timeout_ms: options.timeout_ms ?? 660_000,
      deterministic: options.fast !== true,
      ...(options.arguments === undefined ? {} : { arguments: options.arguments }),
    });
    return await use(machine);
  } finally {
    rmSync(memory, { recursive: true, force: true });
  }
}

/** Copies of the disks in a folder: one that lies in memory answers at once, whatever else the machine does. */
function inMemory(disks: readonly string[], folder: string): string[] {
  return disks.map((disk, at) => {
    const file = join(folder, `disk${at}.img`);
    copyFileSync(disk, file);
    return file;
  });
}

/** The middle one, or the lower of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
