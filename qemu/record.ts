/**
 * `make hot-pages`: records which pages of the runtime a boot touches, for the packed form (src/stub/pack.ts).
 *
 *   bun qemu/record.ts
 *
 * Wanted after each change of Bun's version, and when a boot has come to touch other parts of it. A page that
 * is missing from the list costs a boot some milliseconds, one too many costs all boots ten microseconds. So what the list
 * has of the same Bun stays in it: boots with a network and logins over SSH, which are not among those here, were
 * recorded by hand.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "../src/lib/errors.ts";
import { fingerprint, formatHotPages, parseHotPages } from "../src/stub/pack.ts";
import { regionsOf } from "../src/stub/parts.ts";
import { PAGE } from "../src/stub/segments.ts";
import { BENCH_UUID, benchDisk } from "./bench/boot.ts";
import { buildBenchImage, stackImage, stackParameters } from "./bench/images.ts";
import { STACKS, type Stack, stackRecipe } from "./bench/stacks.ts";
import { PROJECT, run } from "./host.ts";
import { rdinitImage } from "./images.ts";
import { makeDisksInGuest } from "./maker.ts";
import { stockKernel } from "./kernel.ts";
import { startMachine } from "./machine.ts";

/** Boots that differ in what they do, and in when their threads run. */
interface RecordedBoot {
  readonly name: string;
  readonly append: string;
  /** The root lies on this, and the image is for any machine; without it, on a disk of its own. */
  readonly stack?: Stack | undefined;
  /** The image for any machine, in which process 1 runs tools as its children; else that of `make run`. */
  readonly generic?: boolean;
  readonly cpus?: number;
  readonly deterministic?: boolean;
}

const ROOT = `root=UUID=${BENCH_UUID}`;

const BOOTS: readonly RecordedBoot[] = [
  { name: "alone", append: ROOT, deterministic: true },
  { name: "quiet", append: `${ROOT} quiet`, cpus: 2 },
  { name: "debug", append: `${ROOT} debug`, cpus: 2 },
  { name: "path", append: "root=/dev/vda rw rootflags=noatime", cpus: 4 },
  { name: "label", append: "root=LABEL=none rd.timeout=2 rd.shell=0 panic=-1", cpus: 2 },
  { name: "check", append: ROOT, generic: true, deterministic: true },
  { name: "stack", append: ROOT, stack: STACKS.at(-1), deterministic: true },
  { name: "stack-quiet", append: `${ROOT} quiet`, stack: STACKS.at(-1), cpus: 2 },
];

async function main(): Promise<void> {
  const program = join(PROJECT, "build/rdinit.dynamic");
  const recording = join(PROJECT, "build/rdinit.recording");
  await run([process.execPath, "src/stub/link.ts", program, "build/stub", recording, "--recording"], {
    cwd: PROJECT,
  });
  const kernel = await stockKernel();
  const image = async ({ stack, generic }: RecordedBoot): Promise<string> => {
    if (stack !== undefined) return stackImage(kernel, stack, "generic", ["--init", recording]);
    return generic === true
      ? buildBenchImage({ name: "recording", kernel, options: ["--generic", "--init", recording] })
      : rdinitImage({ name: "recording", kernel, init: recording });
  };
  const pages = new Set<number>();
  for (const boot of BOOTS) {
    const { name, append, stack, cpus = 1, deterministic = false } = boot;
    const disks =
      stack === undefined ? [await benchDisk()] : await makeDisksInGuest(await stackRecipe(stack));
    const machine = await startMachine({
      name: `record-${name}`,
      kernel: kernel.vmlinuz,
      initrd: await image(boot),
      disks: disks.map((file) => ({ file })),
      cpus,
      deterministic,
      append: `${append}${stack === undefined ? "" : stackParameters(stack)} printk.devkmsg=on ignore_loglevel`,
      memory_mb: 1024,
      timeout_ms: 600_000,
    });
    await machine.console.expect(/benchmark: the real init runs|Rebooting at once/, 600_000);
    await machine.stop();
    const before = pages.size;
    for (const [, page] of machine.console.text.matchAll(/rdinit-page (\d+)/g)) pages.add(Number(page));
    console.log(`${name}: ${pages.size - before} new pages, ${pages.size} in all`);
  }
  const bytes = readFileSync(program);
  // The script is another with each build: script.ts knows what of it is needed.
  const { readOnly } = regionsOf(bytes);
  const runtime = [...pages].filter((page) =>
    readOnly.some(({ start, end }) => start <= page * PAGE && page * PAGE < end),
  );
  const file = join(PROJECT, "src/stub/hot-pages.txt");
  const before = parseHotPages(readFileSync(file, "utf8"));
  const identity = fingerprint(bytes);
  const kept = before.program === identity ? before.pages : [];
  writeFileSync(file, formatHotPages({ program: identity, pages: new Set([...kept, ...runtime]) }));
}

try {
  await main();
} catch (error) {
  console.error(`record: ${describe(error)}`);
  process.exit(1);
}
