/**
 * Boot times in the guest's own, deterministic time (one instruction is one nanosecond), and what it takes to
 * build images in seconds of this machine.
 *
 *   bun qemu/bench.ts [--runs N] [--record] [boot] [stacks] [build] [images]
 *                     these tables, or all of them; a boot of rdinit's that takes 5 % more than bench/record.json
 *                     says is told at the end, with exit status 1. --record writes that file instead.
 *   bun qemu/bench.ts --kernel stock|builtin|FILE [--initrd FILE] [--disk FILE] [--append "PARAMETERS"]
 *                     [--name NAME] [--memory MIB] [--runs N]
 *
 * A row of boot times has kernel start to /init, /init to the real init, and the sum, in seconds; of the
 * shortest of the runs, and how far they lie apart. The times are the kernel's, from the lines it logs when it starts /init
 * and when the real init (mark.c) writes to its log. QEMU hands the image over in no time: "sooner than none
 * below" says how slowly a disk must be read for a compressed one to win. A disk of one's own must have mark.c's program as its init.
 */

import minimist from "minimist";
import { UserError, describe } from "../src/lib/errors.ts";
import { BENCH_UUID, type BenchRow, benchDisk, measure } from "./bench/boot.ts";
import { buildTable } from "./bench/build.ts";
import { readRecord, regressions, writeRecord } from "./bench/record.ts";
import { bootTable, imageTable, stackTable } from "./bench/rows.ts";
import { type Missing, formatBuild, formatRow, worthwhileBelow_mb_s } from "./bench/table.ts";
import { builtinKernel, stockKernel } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";

type Print = (line: string) => void;

/** Prints a table, and returns the boots in it. `runs` is undefined when the user said nothing. */
type PrintTable = (print: Print, runs: number | undefined) => Promise<readonly BenchRow[]>;

/** The tables by name, in the order in which they are printed. */
const TABLES: Readonly<Record<string, PrintTable>> = {
  boot: async (print, runs = 3) => {
    print("Boot, virtual seconds (bun qemu/bench.ts boot)");
    return printRows(print, bootTable(runs));
  },
  stacks: async (print, runs = 3) => {
    print("Boot from arrays, volumes and encryption, virtual seconds (bun qemu/bench.ts stacks)");
    return printRows(print, stackTable(await stockKernel(), runs));
  },
  build: async (print, runs = 3) => {
    const kernel = await stockKernel();
    print(`Building an image of ${kernel.version} for any machine, wall seconds (bun qemu/bench.ts build)`);
    print(formatBuild(undefined));
    const commands: string[] = [];
    for await (const row of buildTable(kernel, runs)) {
      print(formatBuild(row));
      if ("command" in row) commands.push(row.command);
    }
    print(["by", ...commands].join("\n  "));
    return [];
  },
  // A boot is the same from run to run, and xz takes a minute.
  images: async (print, runs = 1) => {
    print("Boot of images for any machine, virtual seconds (bun qemu/bench.ts images)");
    let plain: BenchRow | undefined;
    return printRows(print, imageTable(await stockKernel(), runs), (row) => {
      const speed = plain === undefined ? undefined : worthwhileBelow_mb_s(plain, row);
      if (row.name === "rdinit, none") plain = row;
      return speed === undefined ? "" : `  sooner than none below ${speed.toFixed(0)} MB/s`;
    });
  },
};

/** Prints rows as they come, each with what `remark` says of it; returns those that were measured. */
async function printRows(
  print: Print,
  rows: AsyncIterable<BenchRow | Missing>,
  remark: (row: BenchRow) => string = () => "",
): Promise<BenchRow[]> {
  const measured: BenchRow[] = [];
  print(formatRow(undefined));
  for await (const row of rows) {
    print(formatRow(row) + ("why" in row ? "" : remark(row)));
    if (!("why" in row)) measured.push(row);
  }
  return measured;
}

async function main(argv: readonly string[]): Promise<void> {
  const named = ["kernel", "initrd", "disk", "append", "name", "memory", "runs"];
  const args = minimist([...argv], {
    string: [...named, "_"],
    boolean: ["record"],
    unknown: (argument) => {
      if (Object.hasOwn(TABLES, argument)) return true;
      throw new UserError(
        `'${argument}' is no option and no table of the benchmark.`,
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
  const runs = text("runs") === undefined ? undefined : number("runs", 3);
  const asked = text("kernel");
  if (asked === undefined) {
    const rows = await printTables(args._.length > 0 ? args._ : Object.keys(TABLES), runs);
    if (args["record"] === true) return writeRecord(rows);
    const slower = regressions(readRecord(), rows);
    if (slower.length > 0)
      throw new UserError(slower.join("\n"), "'--record' takes these figures for the new ones.");
    return;
  }
  const kernels: Readonly<Record<string, () => Promise<Kernel>>> = {
    stock: stockKernel,
    builtin: builtinKernel,
  };
  const initrd = text("initrd");
  console.log(formatRow(undefined));
  const row = await measure({
    name: text("name") ?? initrd?.split("/").pop() ?? "direct",
    kernel: (await kernels[asked]?.())?.vmlinuz ?? asked,
    ...(initrd === undefined ? {} : { initrd }),
    disks: [text("disk") ?? (await benchDisk())],
    append: text("append") ?? `root=${initrd === undefined ? "/dev/vda" : `UUID=${BENCH_UUID}`}`,
    memory_mb: number("memory", 1024),
    runs: runs ?? 3,
  });
  console.log(formatRow(row));
}

async function printTables(names: readonly string[], runs: number | undefined): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [at, name] of names.entries()) {
    if (at > 0) console.log("");
    rows.push(...((await TABLES[name]?.(console.log, runs)) ?? []));
  }
  return rows;
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
