/**
 * Boot times in the guest's own, deterministic time (one instruction is one nanosecond), and what it takes to
 * build images in seconds of this machine.
 *
 *   bun qemu/bench.ts [--runs N] [boot] [build] [images]
 *                     these tables, or all of them
 *   bun qemu/bench.ts --kernel stock|builtin|FILE [--initrd FILE] [--disk FILE] [--append "PARAMETERS"]
 *                     [--name NAME] [--memory MIB] [--runs N]
 *
 * A row of boot times has kernel start to /init, /init to the real init, and the sum, in seconds; the median of
 * the runs, and how far they lie apart. The times are the kernel's, from the lines it logs when it starts /init
 * and when the real init (mark.c) writes to its log. QEMU hands the image over in no time: "sooner than none
 * below" says how slowly a disk must be read for a compressed one to win. A disk of one's own must have mark.c's program as its init.
 */

import minimist from "minimist";
import { UserError, describe } from "../src/lib/errors.ts";
import { BENCH_UUID, type BenchRow, benchDisk, measure } from "./bench/boot.ts";
import { buildTable } from "./bench/build.ts";
import { bootTable, imageTable } from "./bench/rows.ts";
import { formatBuild, formatRow, worthwhileBelow_mb_s } from "./bench/table.ts";
import { builtinKernel, stockKernel } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";

type Print = (line: string) => void;

/** The tables by name, in the order in which they are printed. `runs` is undefined when the user said nothing. */
const TABLES: Readonly<Record<string, (print: Print, runs: number | undefined) => Promise<void>>> = {
  boot: async (print, runs = 3) => {
    print("Boot, virtual seconds (bun qemu/bench.ts boot)");
    print(formatRow(undefined));
    for await (const row of bootTable(runs)) print(formatRow(row));
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
  },
  // A boot is the same from run to run, and xz takes a minute.
  images: async (print, runs = 1) => {
    print("Boot of images for any machine, virtual seconds (bun qemu/bench.ts images)");
    print(formatRow(undefined));
    let plain: BenchRow | undefined;
    for await (const row of imageTable(await stockKernel(), runs)) {
      const speed = plain === undefined || "why" in row ? undefined : worthwhileBelow_mb_s(plain, row);
      const below = speed === undefined ? "" : `  sooner than none below ${speed.toFixed(0)} MB/s`;
      print(formatRow(row) + below);
      if (row.name === "rdinit, none" && !("why" in row)) plain = row;
    }
  },
};

async function main(argv: readonly string[]): Promise<void> {
  const named = ["kernel", "initrd", "disk", "append", "name", "memory", "runs"];
  const args = minimist([...argv], {
    string: [...named, "_"],
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
  if (asked === undefined) return printTables(args._.length > 0 ? args._ : Object.keys(TABLES), runs);
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
    disk: text("disk") ?? (await benchDisk()),
    append: text("append") ?? `root=${initrd === undefined ? "/dev/vda" : `UUID=${BENCH_UUID}`}`,
    memory_mb: number("memory", 1024),
    runs: runs ?? 3,
  });
  console.log(formatRow(row));
}

async function printTables(names: readonly string[], runs: number | undefined): Promise<void> {
  for (const [at, name] of names.entries()) {
    if (at > 0) console.log("");
    await TABLES[name]?.(console.log, runs);
  }
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
