/**
 * Runs the tests and closes with one line of counts.
 *
 *   bun test/run.ts --check    types, lint, format, unit, property and contract tests
 *   bun test/run.ts            those, and all that boots
 */

import { dirname } from "node:path";
import { type Kernel, builtinKernel, stockKernel } from "../qemu/kernel.ts";
import { serverTree } from "../qemu/network/tree.ts";
import { NETWORK_USERLANDS, networkUserland } from "../qemu/network/userlands.ts";
import { dracutImage } from "../qemu/peers/dracut.ts";
import { initramfsToolsImage } from "../qemu/peers/initramfs-tools.ts";
import { peersNeed } from "../qemu/peers/peer.ts";
import { busyboxNeed } from "../qemu/userlands/busybox-build.ts";
import { USERLAND_NAMES } from "../qemu/userlands/table.ts";
import { userlandTree, userlandsNeed } from "../qemu/userlands/trees.ts";

interface Suite {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const bun = process.execPath;

const checks: readonly Suite[] = [
  { name: "types", argv: [bun, "check", "--no-script"] },
  { name: "lint", argv: [bun, "x", "--no-install", "oxlint", "--deny-warnings"] },
  { name: "format", argv: [bun, "fmt", "--check", "--no-script", "src", "syscalls", "test", "qemu"] },
  {
    name: "unit",
    argv: [
      bun,
      "test",
      "--timeout=20000",
      "--parallel=2",
      "test/unit",
      "test/property",
      "test/contract",
      "test/faults",
    ],
  },
];

async function bootSuites(): Promise<Suite[]> {
  process.stdout.write("\n==> the distribution's kernel: fetched once, then kept in the cache\n");
  const stock = await stockKernel();
  // Here and not in the first test that wants it, whose time would run out; the kernel beside what fetches packages.
  await Promise.all([
    making("the small kernel", "four minutes or so", undefined, builtinKernel),
    makePeers(stock).then(makeUserlands),
  ]);
  // DIR/lib/modules/VERSION
  const env = { RDINIT_STOCK_MODULES_ROOT: dirname(dirname(dirname(stock.modules))) };
  return [
    { name: "kernel modules", argv: [bun, "test", "test/kernel"], env },
    { name: "images", argv: [bun, "test", "--timeout=20000", "--parallel=2", "test/image"], env },
    // Two machines at a time: there are two cores, and no KVM.
    { name: "boot", argv: [bun, "test", "--parallel=2", "test/boot"] },
  ];
}

async function makePeers(stock: Kernel): Promise<void> {
  await making("images of dracut and initramfs-tools", "two minutes or so", peersNeed(), async () => {
    await dracutImage(stock);
    await initramfsToolsImage(stock);
  });
}

async function makeUserlands(): Promise<void> {
  await making("trees of Debian", "two minutes or so", await userlandsNeed(), async () => {
    for (const name of USERLAND_NAMES) await userlandTree(name);
    await serverTree();
    for (const name of NETWORK_USERLANDS) await networkUserland(name);
  });
  await making("a busybox with runit", "a minute or two", undefined, async () => {
    const lack = await busyboxNeed();
    if (lack !== undefined) process.stdout.write(`${lack}\n`);
  });
}

/**
 * Makes what is then kept in the cache, and says so, with what it took when that was long; `lacking` is why it
 * can't be made here.
 */
async function making<T>(
  what: string,
  duration: string,
  lacking: string | undefined,
  make: () => Promise<T>,
): Promise<T | undefined> {
  if (lacking !== undefined) {
    process.stdout.write(`==> ${what}: not made here, as ${lacking}\n`);
    return undefined;
  }
  const started = performance.now();
  process.stdout.write(`==> ${what}: made once (${duration}), then kept in the cache\n`);
  const made = await make();
  const seconds = Math.round((performance.now() - started) / 1000);
  if (seconds > 1) process.stdout.write(`==> ${what}: there after ${seconds} s\n`);
  return made;
}

/** Runs one suite, its output shown as it comes; what no count is printed for counts as one test. */
async function runSuite({ name, argv, env }: Suite): Promise<Counts> {
  const started = performance.now();
  process.stdout.write(`\n==> ${name}\n`);
  const child = Bun.spawn([...argv], { env: { ...process.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([show(child.stdout), show(child.stderr), child.exited]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const counts = readCounts(out + err);
  if (counts === undefined) return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  // A runner that ends badly although no test failed (a crash, a file that can't be loaded) has failed.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  process.stdout.write(`==> ${name}: ${counts.passed} passed, ${counts.failed} failed in ${seconds} s\n`);
  return counts;
}

async function show(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of stream) {
    const words = decoder.decode(chunk, { stream: true });
    all += words;
    process.stdout.write(words);
  }
  return all;
}

/** The counts of `bun test`: lines like " 12 pass". */
function readCounts(output: string): Counts | undefined {
  const count = (word: string): number | undefined => {
    const matches = [...output.matchAll(new RegExp(`^ *(\\d+) ${word}\\b`, "gm"))];
    return matches.length === 0 ? undefined : Number(matches.at(-1)?.[1]);
  };
  const passed = count("pass");
  if (passed === undefined) return undefined;
  return { passed, failed: count("fail") ?? 0, skipped: (count("skip") ?? 0) + (count("todo") ?? 0) };
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const onlyChecks = process.argv.includes("--check");
for (const suite of onlyChecks ? checks : [...checks, ...(await bootSuites())]) {
  const counts = await runSuite(suite);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
