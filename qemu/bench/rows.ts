/** The boots that `make bench` measures. */

import { join } from "node:path";
import { rdinitImage } from "../images.ts";
import { builtinKernel, type Kernel } from "../kernel.ts";
import { busyboxImage } from "../peers/busybox.ts";
import { BENCH_DIR, BENCH_UUID, type BenchOptions, type BenchRow, benchDisk, measure } from "./boot.ts";
import { BY_SPEED, genericImage } from "./build.ts";
import { isEnough } from "./enough.ts";
import { BUILT_IN_RDINIT } from "./goals.ts";
import { type BenchRecord, recordOf } from "./record.ts";
import type { Scenario } from "./scenarios.ts";
import { smallestMemory_mb } from "./smallest.ts";
import type { Missing } from "./table.ts";

const APPEND = `root=UUID=${BENCH_UUID}`;

/** How often each boot is run, undefined when the user said nothing, and what was measured before. */
export interface BenchSettings {
  readonly runs: number | undefined;
  readonly record: BenchRecord;
  /** A part of the names of those that are measured; undefined for all. */
  readonly who: string | undefined;
}

/** All that can bring up this root, each with its image. */
export async function* scenarioTable(
  scenario: Scenario,
  kernel: Kernel,
  { runs = 1, record, who = "" }: BenchSettings,
): AsyncGenerator<BenchRow | Missing> {
  const disks = await scenario.disks();
  for (const contender of scenario.contenders(kernel)) {
    if (!contender.name.includes(who)) continue;
    const image = await contender.image();
    if ("why" in image) {
      yield { name: contender.name, why: image.why };
      continue;
    }
    const options: BenchOptions = {
      name: `${scenario.name}, ${contender.name}`,
      kernel: kernel.vmlinuz,
      initrd: image.initrd,
      disks,
      append: `${APPEND}${contender.parameters}`,
      runs,
    };
    const row = await measure(options);
    yield scenario.smallest
      ? { ...row, smallest_mb: await smallestFor(options, row, recordOf(record, row.name)?.smallest_mb) }
      : row;
  }
}

// An image lies in memory twice while it is unpacked.
async function smallestFor(
  options: BenchOptions,
  { image_mb }: BenchRow,
  before: number | undefined,
): Promise<number | undefined> {
  return smallestMemory_mb((memory_mb) => isEnough({ ...options, memory_mb }), before ?? 100 + 2 * image_mb);
}

/** A kernel with all drivers built in, where nothing but the two programs differs. */
export async function* builtinTable({ runs = 1 }: BenchSettings): AsyncGenerator<BenchRow> {
  const kernel = await builtinKernel();
  const busybox = join(BENCH_DIR, "busybox-built-in.cpio");
  const shared = { kernel: kernel.vmlinuz, disks: [await benchDisk()], append: APPEND, runs };
  await busyboxImage(kernel, { uuid: BENCH_UUID }, busybox);
  yield await measure({ ...shared, name: "built in, busybox script", initrd: busybox });
  const rdinit = await rdinitImage({ name: "bench-built-in" });
  yield await measure({ ...shared, name: BUILT_IN_RDINIT, initrd: rdinit });
}

/** rdinit's images for any machine on the distribution's kernel, under each compression. */
export async function* imageTable(kernel: Kernel, { runs = 1 }: BenchSettings): AsyncGenerator<BenchRow> {
  const shared = { kernel: kernel.vmlinuz, disks: [await benchDisk()], append: APPEND, runs };
  for (const compression of BY_SPEED) {
    const initrd = await genericImage(kernel, compression);
    yield await measure({ ...shared, name: `images, rdinit ${compression}`, initrd });
  }
}
