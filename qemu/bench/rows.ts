/** The boots that `make bench` measures. */

import { join } from "node:path";
import { rdinitImage, runImage } from "../images.ts";
import { builtinKernel, type Kernel, stockKernel } from "../kernel.ts";
import { busyboxImage } from "../peers/busybox.ts";
import { dracut } from "../peers/dracut.ts";
import { initramfsTools } from "../peers/initramfs-tools.ts";
import { peerImage, peersNeed } from "../peers/peer.ts";
import { BENCH_DIR, BENCH_UUID, type BenchRow, benchDisk, measure } from "./boot.ts";
import { BY_SPEED, genericImage } from "./build.ts";
import type { Missing } from "./table.ts";

const APPEND = `root=UUID=${BENCH_UUID}`;

/** rdinit and a hand-written busybox script, on the distribution's kernel and on one with all drivers built in. */
export async function* bootTable(runs: number): AsyncGenerator<BenchRow> {
  const disk = await benchDisk();
  for (const [name, kernel] of [
    ["stock", await stockKernel()],
    ["built-in", await builtinKernel()],
  ] as const) {
    const busybox = join(BENCH_DIR, `busybox-${name}.cpio`);
    await busyboxImage(kernel, { uuid: BENCH_UUID }, busybox);
    const shared = { kernel: kernel.vmlinuz, disk, append: APPEND, runs };
    yield await measure({ ...shared, name: `busybox, ${name}`, initrd: busybox });
    const rdinit =
      name === "stock" ? await runImage(kernel, ["ext4"]) : await rdinitImage({ name: "bench-built-in" });
    yield await measure({ ...shared, name: `rdinit, ${name}`, initrd: rdinit });
  }
}

/** Images for any machine on the distribution's kernel: the peers', and rdinit's under each compression. */
export async function* imageTable(kernel: Kernel, runs: number): AsyncGenerator<BenchRow | Missing> {
  const shared = { kernel: kernel.vmlinuz, disk: await benchDisk(), append: APPEND, runs };
  const why = peersNeed();
  for (const peer of [dracut, initramfsTools])
    yield why === undefined
      ? await measure({ ...shared, name: peer.name, initrd: await peerImage(peer, kernel) })
      : { name: peer.name, why };
  for (const compression of BY_SPEED) {
    const initrd = await genericImage(kernel, compression);
    yield await measure({ ...shared, name: `rdinit, ${compression}`, initrd });
  }
}
