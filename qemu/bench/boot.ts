/** A boot measured in the guest's own, deterministic time: one instruction is one nanosecond. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDisk } from "../disks.ts";
import { compile, PROJECT } from "../host.ts";
import { stockKernel } from "../kernel.ts";
import { startMachine } from "../machine.ts";
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
}

/** Boots some times and measures. Throws Error when a mark is missing. */
export async function measure(options: BenchOptions): Promise<BenchRow> {
  const runs: { to_init: number; total: number }[] = [];
  for (let run = 0; run < (options.runs ?? 3); run++) runs.push(await measureOnce(options));
  const totals = runs.map((run) => run.total);
  const shortest = runs.toSorted((a, b) => a.total - b.total)[0] ?? {
    to_init: Number.NaN,
    total: Number.NaN,
  };
  return {
    name: options.name,
    image_mb: options.initrd === undefined ? 0 : statSync(options.initrd).size / 1e6,
    to_init: shortest.to_init,
    to_real_init: shortest.total - shortest.to_init,
    total: shortest.total,
    spread: totals.length > 1 ? Math.max(...totals) - Math.min(...totals) : undefined,
  };
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

async function measureOnce(options: BenchOptions): Promise<{ to_init: number; total: number }> {
  const memory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rdinit-bench-"));
  try {
    return await measureOn(options, inMemory(options.disks, memory));
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

async function measureOn(
  options: BenchOptions,
  disks: readonly string[],
): Promise<{ to_init: number; total: number }> {
  const machine = await startMachine({
    name: `bench-${options.name.replaceAll(/\W+/g, "-")}`,
    kernel: options.kernel,
    ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
    append: `${options.append} printk.time=1 loglevel=7`,
    disks: disks.map((file) => ({ file, snapshot: false })),
    memory_mb: options.memory_mb ?? 1024,
    timeout_ms: 600_000,
    deterministic: true,
  });
  try {
    const init = await machine.console.expect(/\[ *([\d.]+)\] Run \/\S+ as init process/, 600_000);
    const real = await machine.console.expect(/\[ *([\d.]+)\] benchmark: the real init runs/, 600_000);
    return { to_init: Number(init[1]), total: Number(real[1]) };
  } finally {
    await machine.stop();
  }
}

/** The middle one, or the lower of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
