/**
 * Boot times in the guest's own, deterministic time (one instruction is one nanosecond), and what it takes to
 * build images in seconds of this machine.
 *
 *   bun qemu/bench.ts [--runs N] [--who NAME] [--record] [--markdown] [NAME ...]
 *                     these tables: ext4 RAID1+LVM RAID1+LVM+LUKS built-in goals, which are taken when none is named;
 *                     images build; and how boots grow with disks volumes events modules, together "scale"; or "all".
 *                     --who measures only those on a root in whose names this is: rdinit.
 *                     What of rdinit takes 5 % more than qemu/bench/record.json says is told at the end, with exit
 *                     status 1, as is what grows worse than linearly. --record writes that file instead, and the
 *                     picture bench/scale.svg from it; --markdown the tables as README.md has them.
 *   bun qemu/bench.ts --kernel stock|builtin|FILE [--initrd FILE] [--disk FILE] [--append "PARAMETERS"]
 *                     [--name NAME] [--memory MIB] [--runs N]
 *
 * A row of boot times has kernel start to /init, /init to the real init, and the sum, in seconds; of the
 * shortest of the runs (one when nothing is said), and how far they lie apart. The times are the kernel's, from the lines it logs when it starts /init
 * and when the real init (mark.c) writes to its log. "MB free" is what that finds free in a machine of 1024 MB, "least MB" the least
 * memory of a machine that comes so far, in steps of 16. QEMU hands the image over in no time: "sooner than none
 * below" says how slowly a disk must be read for a compressed one to win. A disk of one's own must have mark.c's program as its init.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import minimist from "minimist";
import { UserError, describe } from "../src/lib/errors.ts";
import { announcement, costsOf, preparations } from "./bench/announce.ts";
import { BENCH_DIR, BENCH_UUID, benchDisk, measure } from "./bench/boot.ts";
import { buildTable } from "./bench/build.ts";
import {
  BOOT_COLUMNS,
  BUILD_COLUMNS,
  GOAL_COLUMNS,
  bootCells,
  buildCells,
  goalCells,
  worthwhileBelow_mb_s,
} from "./bench/cells.ts";
import { goals } from "./bench/goals.ts";
import { type Bench, print, printBoots, printScale, printScenario, title } from "./bench/print.ts";
import { otherVersions, readRecord, regressions, writeRecord } from "./bench/record.ts";
import { type BenchSettings, builtinTable, imageTable } from "./bench/rows.ts";
import { SCENARIOS } from "./bench/scenarios.ts";
import { type Format, MARKDOWN, TERMINAL } from "./bench/table.ts";
import { madeWith } from "./bench/versions.ts";
import { builtinKernel, stockKernel } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import { DIMENSIONS } from "./scale/dimensions.ts";
import { plot } from "./scale/plot.ts";
import { panelsOf } from "./scale/table.ts";

/** The tables that are printed when none is named, in this order. */
const TABLES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  ...Object.fromEntries(
    SCENARIOS.map((scenario) => [scenario.name, (bench: Bench) => printScenario(bench, scenario)]),
  ),
  "built-in": async (bench) => {
    title(bench, "A kernel with all drivers built in, virtual seconds", "built-in");
    await printBoots(bench, builtinTable(bench));
  },
  goals: async (bench) => {
    title(bench, "What was promised, in virtual time", "ext4 RAID1+LVM built-in goals");
    print(bench.format.head(GOAL_COLUMNS));
    for await (const goal of goals(bench.kernel, bench.boots)) print(bench.format.row(goalCells(goal)));
  },
};

/** Those that take long and tell what is known, printed when they are named. */
const MORE_TABLES: typeof TABLES = {
  images: async (bench) => {
    title(bench, "Boot of images for any machine by their compression, virtual seconds", "images");
    const rows = await printBoots(bench, imageTable(bench.kernel, bench));
    const [plain, ...compressed] = rows;
    for (const row of compressed) {
      const speed = plain === undefined ? undefined : worthwhileBelow_mb_s(plain, row);
      if (speed !== undefined)
        print(bench.format.note(`${row.name}: sooner than none below ${speed.toFixed(0)} MB/s.`));
    }
  },
  build: async (bench) => {
    title(bench, `Building an image of ${bench.kernel.version} for any machine, wall seconds`, "build");
    print(bench.format.head(BUILD_COLUMNS));
    const commands: string[] = [];
    for await (const row of buildTable(bench.kernel, bench.runs ?? 3)) {
      if ("why" in row) print(bench.format.missing(row, BUILD_COLUMNS.length));
      else print(bench.format.row(buildCells(row)));
      if ("command" in row) commands.push(row.command);
    }
    print(bench.format.note(["by", ...commands].join("\n  ")));
  },
};

/** The tables about growth, printed when they are named, or "scale". */
const SCALE_TABLES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = Object.fromEntries(
  DIMENSIONS.map((dimension) => [dimension.name, (bench: Bench) => printScale(bench, dimension)]),
);

const ALL_TABLES: typeof TABLES = { ...TABLES, ...MORE_TABLES, ...SCALE_TABLES };

/** Words for several. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  scale: Object.keys(SCALE_TABLES),
  all: Object.keys(ALL_TABLES),
};

async function main(argv: readonly string[]): Promise<void> {
  const named = ["kernel", "initrd", "disk", "append", "name", "memory", "runs", "who"];
  const args = minimist([...argv], {
    string: [...named, "_"],
    boolean: ["record", "markdown"],
    unknown: (argument) => {
      if (Object.hasOwn(GROUPS, argument) || Object.hasOwn(ALL_TABLES, argument)) return true;
      throw new UserError(
        `'${argument}' is no option and no table of the benchmark.`,
        `The tables are ${[...Object.keys(ALL_TABLES), ...Object.keys(GROUPS)].join(", ")}; the head of qemu/bench.ts lists the options.`,
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
  const format = args["markdown"] === true ? MARKDOWN : TERMINAL;
  const asked = text("kernel");
  if (asked === undefined)
    return printTables(tableNames(args._), { runs, who: text("who") }, format, args["record"] === true);
  const kernels: Readonly<Record<string, () => Promise<Kernel>>> = {
    stock: stockKernel,
    builtin: builtinKernel,
  };
  const initrd = text("initrd");
  const row = await measure({
    name: text("name") ?? initrd?.split("/").pop() ?? "direct",
    kernel: (await kernels[asked]?.())?.vmlinuz ?? asked,
    ...(initrd === undefined ? {} : { initrd }),
    disks: [text("disk") ?? (await benchDisk())],
    append: text("append") ?? `root=${initrd === undefined ? "/dev/vda" : `UUID=${BENCH_UUID}`}`,
    memory_mb: number("memory", 1024),
    runs: runs ?? 3,
  });
  print([...format.head(BOOT_COLUMNS), ...format.row(bootCells(row.name, row))]);
}

function tableNames(asked: readonly string[]): string[] {
  if (asked.length === 0) return Object.keys(TABLES);
  return asked.flatMap((name) => GROUPS[name] ?? [name]);
}

async function printTables(
  names: readonly string[],
  chosen: Pick<BenchSettings, "runs" | "who">,
  format: Format,
  isRecorded: boolean,
): Promise<void> {
  mkdirSync(BENCH_DIR, { recursive: true });
  const left = Object.keys(ALL_TABLES).filter((name) => !names.includes(name));
  print(announcement(costsOf(names), costsOf(left), preparations()).flatMap(format.note));
  const kernel = await stockKernel();
  const bench: Bench = {
    kernel,
    ...chosen,
    format,
    record: readRecord(),
    boots: [],
    scale: {},
    tooSteep: [],
  };
  const versions = await madeWith(kernel);
  for (const name of names) await ALL_TABLES[name]?.(bench);
  if (isRecorded) {
    const { scale = {} } = writeRecord(bench.boots, bench.scale, versions);
    writeFileSync(join(import.meta.dir, "bench/scale.svg"), plot(panelsOf(scale)));
    return;
  }
  const differing = otherVersions(bench.record, versions);
  if (differing !== undefined) return print(format.note(differing));
  const worse = [...regressions(bench.record, bench.boots), ...bench.tooSteep];
  if (worse.length > 0)
    throw new UserError(worse.join("\n"), "'--record' takes these figures for the new ones.");
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
