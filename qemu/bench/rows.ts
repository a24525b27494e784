/** The boots that `make bench` measures. */

import { join } from "node:path";
import { rdinitImage, runImage } from "../images.ts";
import { builtinKernel, type Kernel, stockKernel } from "../kernel.ts";
import { busyboxImage } from "../peers/busybox.ts";
import { dracut, dracutWithKey } from "../peers/dracut.ts";
import { initramfsTools, initramfsToolsWithKey } from "../peers/initramfs-tools.ts";
import { type Peer, peerImage, peersNeed } from "../peers/peer.ts";
import { tinyInitramfs } from "../peers/tiny-initramfs.ts";
import { makeDisksInGuest } from "../maker.ts";
import { STORAGE } from "../storage/basic.ts";
import { BENCH_DIR, BENCH_UUID, type BenchRow, benchDisk, measure } from "./boot.ts";
import { BY_SPEED, genericImage } from "./build.ts";
import { stackImage, stackParameters } from "./images.ts";
import { STACKS, STACK_KEY, STACK_KEY_PATH, type Stack, stackRecipe } from "./stacks.ts";
import type { Missing } from "./table.ts";

const APPEND = `root=UUID=${BENCH_UUID}`;

/** rdinit, a hand-written busybox script and tiny-initramfs, on the distribution's kernel and on one with all drivers built in. */
export async function* bootTable(runs: number): AsyncGenerator<BenchRow | Missing> {
  const disk = await benchDisk();
  for (const [name, kernel] of [
    ["stock", await stockKernel()],
    ["built-in", await builtinKernel()],
  ] as const) {
    const busybox = join(BENCH_DIR, `busybox-${name}.cpio`);
    await busyboxImage(kernel, { uuid: BENCH_UUID }, busybox);
    const shared = { kernel: kernel.vmlinuz, disks: [disk], append: APPEND, runs };
    yield await measure({ ...shared, name: `busybox, ${name}`, initrd: busybox });
    const rdinit =
      name === "stock" ? await runImage(kernel, ["ext4"]) : await rdinitImage({ name: "bench-built-in" });
    yield await measure({ ...shared, name: `rdinit, ${name}`, initrd: rdinit });
    if (name === "built-in") continue;
    const why = peersNeed();
    yield why === undefined
      ? await measure({
          ...shared,
          name: "tiny-initramfs, stock",
          initrd: await peerImage(tinyInitramfs, kernel),
        })
      : { name: tinyInitramfs.name, why };
  }
}

/** Roots on stacks of arrays, volumes and encryption: rdinit's images and the peers', on the same disks. */
export async function* stackTable(kernel: Kernel, runs: number): AsyncGenerator<BenchRow | Missing> {
  const why = peersNeed();
  for (const stack of STACKS) {
    const disks = await makeDisksInGuest(await stackRecipe(stack));
    const shared = { kernel: kernel.vmlinuz, disks, runs };
    const row = (who: string, initrd: string, parameters: string): Promise<BenchRow> =>
      measure({ ...shared, name: `${stack.name}, ${who}`, initrd, append: `${APPEND}${parameters}` });
    for (const form of ["drivers", "generic"] as const)
      yield await row(`rdinit ${form}`, await stackImage(kernel, stack, form), stackParameters(stack));
    for (const { peer, parameters } of stackPeers(stack))
      yield why === undefined
        ? await row(peer.package.replace(/-core$/, ""), await peerImage(peer, kernel), parameters)
        : { name: `${stack.name}, ${peer.name}`, why };
  }
}

/** The peers that can do it, and what they have to be told: initramfs-tools puts together all that it finds. */
function stackPeers({ encrypted }: Stack): readonly { peer: Peer; parameters: string }[] {
  const key = { path: STACK_KEY_PATH, text: STACK_KEY, uuid: STORAGE.luks };
  const named = ` rd.md.uuid=${STORAGE.array} rd.lvm.lv=${STORAGE.group}/${STORAGE.volume}`;
  return encrypted
    ? [
        {
          peer: dracutWithKey(key),
          parameters: `${named} rd.luks.name=${STORAGE.luks}=clear rd.luks.key=${STORAGE.luks}=${STACK_KEY_PATH}`,
        },
        { peer: initramfsToolsWithKey(key), parameters: "" },
      ]
    : [
        { peer: dracut, parameters: named },
        { peer: initramfsTools, parameters: "" },
      ];
}

/** Images for any machine on the distribution's kernel: the peers', and rdinit's under each compression. */
export async function* imageTable(kernel: Kernel, runs: number): AsyncGenerator<BenchRow | Missing> {
  const shared = { kernel: kernel.vmlinuz, disks: [await benchDisk()], append: APPEND, runs };
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
