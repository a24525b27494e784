/** What was promised of a boot, and what it takes. */

import { rdinitImage } from "../images.ts";
import { builtinKernel, type Kernel } from "../kernel.ts";
import { BENCH_UUID, type BenchOptions, type BenchRow, benchDisk, measureBeginning } from "./boot.ts";
import { driversImage } from "./scenarios.ts";

/** Something that shall be no more than a limit. */
export interface Goal {
  readonly name: string;
  readonly limit: number;
  readonly measured: number;
  readonly unit: "s" | "ms" | "MB";
}

const APPEND = `root=UUID=${BENCH_UUID}`;

/** Boots by the names of their rows, and the seconds from the start of the kernel to the real init. */
const BOOTS = [
  { name: "ext4, rdinit --drivers", limit: 2.3 },
  { name: "ext4, rdinit --generic", limit: 3 },
  { name: "RAID1+LVM, rdinit --generic", limit: 3.5 },
] as const;

/** All goals: those for the first line are measured now, those for boots and memory are taken from `boots`, where they were measured. */
export async function* goals(kernel: Kernel, boots: readonly BenchRow[]): AsyncGenerator<Goal> {
  for (const { name, limit } of BOOTS) {
    const boot = boots.find((row) => row.name === name);
    if (boot !== undefined) yield { name, limit, measured: boot.total, unit: "s" };
  }
  const shared = { disks: [await benchDisk()], append: APPEND };
  const builtin: BenchOptions = {
    ...shared,
    name: "goal-built-in",
    kernel: (await builtinKernel()).vmlinuz,
    initrd: await rdinitImage({ name: "bench-built-in" }),
  };
  const stock: BenchOptions = {
    ...shared,
    name: "goal-stock",
    kernel: kernel.vmlinuz,
    initrd: await driversImage(kernel),
  };
  const first = { limit: 12, unit: "ms" } as const;
  yield {
    ...first,
    name: "first line, plain form",
    measured: (await measureBeginning(builtin)).program_ms,
  };
  yield {
    ...first,
    name: "first line, packed form",
    measured: (await measureBeginning(stock)).program_ms,
  };
  const handedOver = boots.find(({ name }) => name === BUILT_IN_RDINIT);
  if (handedOver !== undefined)
    yield {
      name: "real init, built in",
      limit: 100,
      measured: handedOver.to_real_init * 1000,
      unit: "ms",
    };
  for (const { name, smallest_mb } of boots)
    if (name.includes("rdinit --drivers") && smallest_mb !== undefined)
      for (const limit of [256, 192])
        yield { name: name.replace("rdinit --drivers", "memory"), limit, measured: smallest_mb, unit: "MB" };
}

/** The row of rdinit on a kernel with all drivers built in. */
export const BUILT_IN_RDINIT = "built in, rdinit";
