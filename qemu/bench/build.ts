/** What it takes to build an image of the distribution's kernel for any machine. */

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { COMPRESSIONS, type ImageCompression } from "../../src/image/write.ts";
import { PROJECT, run, runCounted } from "../host.ts";
import type { Kernel } from "../kernel.ts";
import { dracut } from "../peers/dracut.ts";
import { initramfsTools } from "../peers/initramfs-tools.ts";
import { buildPeerImage, type Peer, peersNeed } from "../peers/peer.ts";
import { BENCH_DIR, median } from "./boot.ts";
import { commandText, imageCommand } from "./images.ts";
import type { Missing } from "./table.ts";

/** A build that was measured. */
export interface BuildRow {
  readonly name: string;
  /** Of wall time. */
  readonly seconds: number;
  /** Of processors, which says more where others use them too. */
  readonly cpu_s: number;
  readonly image_mb: number;
  readonly command: string;
}

/** All compressions, the quickest to build first. */
export const BY_SPEED: readonly ImageCompression[] = ["none", "lz4", "gzip", "zstd", "xz"];

/** Builds by the peers and by rdinit, one after the other; rdinit's `runs` times, of which the median counts. */
export async function* buildTable(kernel: Kernel, runs: number): AsyncGenerator<BuildRow | Missing> {
  mkdirSync(BENCH_DIR, { recursive: true });
  for (const peer of [dracut, initramfsTools]) yield await measurePeer(peer, kernel);
  for (const compression of BY_SPEED) yield await measureRdinit(kernel, compression, runs);
}

/** Builds rdinit's image for any machine with this compression, and returns its path. */
export async function genericImage(kernel: Kernel, compression: ImageCompression): Promise<string> {
  await measureRdinit(kernel, compression, 1);
  return join(BENCH_DIR, `generic-${compression}.img`);
}

async function measurePeer(peer: Peer, kernel: Kernel): Promise<BuildRow | Missing> {
  const why = peersNeed();
  if (why !== undefined) return { name: peer.name, why };
  const to = join(BENCH_DIR, `${peer.name}.img`);
  await settleDisk();
  const { version, seconds, cpu_s, command } = await buildPeerImage(peer, kernel, to);
  return {
    name: `${peer.name} ${version}`,
    seconds,
    cpu_s,
    image_mb: statSync(to).size / 1e6,
    command: command.replaceAll(`${PROJECT}/`, ""),
  };
}

async function measureRdinit(kernel: Kernel, compression: ImageCompression, runs: number): Promise<BuildRow> {
  const options = ["--generic", "--compress", compression];
  const { argv, file } = imageCommand({ name: `generic-${compression}`, kernel, options });
  const times: number[] = [];
  const cpu_times: number[] = [];
  for (let count = 0; count < runs; count++) {
    await settleDisk();
    const start = Bun.nanoseconds();
    const { cpu_s } = await runCounted(argv);
    cpu_times.push(cpu_s);
    times.push((Bun.nanoseconds() - start) / 1e9);
  }
  const { usual } = COMPRESSIONS[compression];
  return {
    name: `rdinit, ${compression}${usual === 0 ? "" : ` -${usual}`}`,
    seconds: median(times),
    cpu_s: median(cpu_times),
    image_mb: statSync(file).size / 1e6,
    command: commandText(argv),
  };
}

// So that nobody waits for what the one before left to be written.
async function settleDisk(): Promise<void> {
  await run(["sync"]);
}
