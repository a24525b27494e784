/**
 * Boot times in the guest's own, deterministic time: one instruction is one nanosecond.
 *
 *   bun qemu/bench.ts         rdinit and a hand-written busybox script, on both kernels
 *   bun qemu/bench.ts --kernel stock|builtin|FILE [--initrd FILE] [--disk FILE] [--append "PARAMETERS"]
 *                     [--name NAME] [--memory MIB] [--runs N]
 *
 * prints a row for each: kernel start to /init, /init to the real init, and the sum, in seconds; the median
 * of the runs, and how far they lie apart. The times are the kernel's, from the lines it logs when it starts
 * /init and when the real init (mark.c) writes to its log. A disk of one's own must have mark.c's program as
 * its init.
 */

import minimist from "minimist";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError, describe } from "../src/lib/errors.ts";
import { makeDisk } from "./disks.ts";
import { compile, PROJECT } from "./host.ts";
import { rdinitImage, runImage } from "./images.ts";
import { builtinKernel, stockKernel } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import { startMachine } from "./machine.ts";
import { busyboxImage } from "./peers/busybox.ts";
import { ROOT_FOLDERS } from "./tree.ts";

/** UUID of the root that the benchmark makes. */
export const BENCH_UUID = "be9c4a5e-0000-4000-8000-0000000be9c4";

export interface BenchOptions {
  readonly name: string;
  readonly kernel: string;
  readonly initrd?: string;
  readonly disk: string;
  readonly append: string;
  /** 1024 when left out. */
  readonly memory_mb?: number;
  /** 3 when left out. */
  readonly runs?: number;
}

/** Virtual seconds, the median of the runs. */
export interface BenchRow {
  readonly name: string;
  readonly image_mb: number;
  /** From the start of the kernel's clock to the start of /init. */
  readonly to_init: number;
  /** From there to the first act of the real init. */
  readonly to_real_init: number;
  readonly total: number;
  /** Between the shortest and the longest `total`. */
  readonly spread: number;
}

/** Boots some times and measures. Throws Error when a mark is missing. */
export async function measure(options: BenchOptions): Promise<BenchRow> {
  const runs: { to_init: number; total: number }[] = [];
  for (let run = 0; run < (options.runs ?? 3); run++) runs.push(await measureOnce(options));
  const totals = runs.map((run) => run.total);
  return {
    name: options.name,
    image_mb: options.initrd === undefined ? 0 : statSync(options.initrd).size / 1e6,
    to_init: median(runs.map((run) => run.to_init)),
    to_real_init: median(runs.map((run) => run.total - run.to_init)),
    total: median(totals),
    spread: Math.max(...totals) - Math.min(...totals),
  };
}

/** The table's head and rows as text. */
export function formatRow(row: BenchRow | undefined): string {
  const cells =
    row === undefined
      ? ["initramfs", "image MB", "to /init", "to real init", "in all", "spread"]
      : [
          row.name,
          row.image_mb.toFixed(1),
          ...[row.to_init, row.to_real_init, row.total, row.spread].map((seconds) => seconds.toFixed(3)),
        ];
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(22) : cell.padStart(13))).join("");
}

/** The disk of the benchmark, made anew: ext4, BENCH_UUID, mark.c as its init. */
export async function benchDisk(): Promise<string> {
  const dir = join(PROJECT, "build/bench");
  mkdirSync(dir, { recursive: true });
  const file = join(dir, "root.img");
  const mark = await compile("mark", [join(import.meta.dir, "mark.c")]);
  const tree = [...ROOT_FOLDERS, { path: "/sbin/init", kind: "file", from: mark, mode: 0o755 } as const];
  await makeDisk({ file, type: "ext4", tree, uuid: BENCH_UUID });
  return file;
}

async function measureOnce(options: BenchOptions): Promise<{ to_init: number; total: number }> {
  const machine = await startMachine({
    name: `bench-${options.name.replaceAll(/\W+/g, "-")}`,
    kernel: options.kernel,
    ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
    append: `${options.append} printk.time=1 loglevel=7`,
    disks: [{ file: options.disk }],
    memory_mb: options.memory_mb ?? 1024,
    timeout_ms: 180_000,
    deterministic: true,
  });
  try {
    const init = await machine.console.expect(/\[ *([\d.]+)\] Run \/\S+ as init process/, 180_000);
    const real = await machine.console.expect(/\[ *([\d.]+)\] benchmark: the real init runs/, 180_000);
    return { to_init: Number(init[1]), total: Number(real[1]) };
  } finally {
    await machine.stop();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** The rows of the whole table, each started when it is asked for. */
async function* wholeTable(runs: number): AsyncGenerator<BenchRow> {
  const disk = await benchDisk();
  const images = join(PROJECT, "build/bench");
  for (const [name, kernel] of [
    ["stock", await stockKernel()],
    ["built-in", await builtinKernel()],
  ] as const) {
    const busybox = join(images, `busybox-${name}.cpio`);
    await busyboxImage(kernel, { uuid: BENCH_UUID }, busybox);
    const shared = { kernel: kernel.vmlinuz, disk, append: `root=UUID=${BENCH_UUID}`, runs };
    yield await measure({ ...shared, name: `busybox, ${name}`, initrd: busybox });
    if (!existsSync(join(PROJECT, "build/rdinit"))) continue;
    const rdinit =
      name === "stock" ? await runImage(kernel, ["ext4"]) : await rdinitImage({ name: "bench-built-in" });
    yield await measure({ ...shared, name: `rdinit, ${name}`, initrd: rdinit });
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const named = ["kernel", "initrd", "disk", "append", "name", "memory", "runs"];
  const args = minimist([...argv], {
    string: named,
    unknown: (argument) => {
      throw new UserError(
        `'${argument}' is no option of the benchmark.`,
        "The head of qemu/bench.ts lists them.",
      );
    },
  });
  const text = (name: string): string | undefined => {
    const value: unknown = args[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const number = (name: string, standard: number): number => {
    const value = Number(text(name) ?? standard);
    if (!Number.isInteger(value) || value < 1) throw new UserError(`--${name} wants a number above 0.`);
    return value;
  };
  const runs = number("runs", 3);
  console.log(formatRow(undefined));
  const asked = text("kernel");
  if (asked === undefined) {
    for await (const row of wholeTable(runs)) console.log(formatRow(row));
    return;
  }
  const kernels: Readonly<Record<string, () => Promise<Kernel>>> = {
    stock: stockKernel,
    builtin: builtinKernel,
  };
  const initrd = text("initrd");
  const row = await measure({
    name: text("name") ?? initrd?.split("/").pop() ?? "direct",
    kernel: (await kernels[asked]?.())?.vmlinuz ?? asked,
    ...(initrd === undefined ? {} : { initrd }),
    disk: text("disk") ?? (await benchDisk()),
    append: text("append") ?? `root=${initrd === undefined ? "/dev/vda" : `UUID=${BENCH_UUID}`}`,
    memory_mb: number("memory", 1024),
    runs,
  });
  console.log(formatRow(row));
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
