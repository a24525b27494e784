/** The real init finds the machine as if the kernel had started it: one probe, started both ways. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { HANDOVER_RULES, ROOTFS_RULES } from "../../qemu/handover/rules.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { type Kernel, builtinKernel, stockKernel } from "../../qemu/kernel.ts";
import type { MachineOptions } from "../../qemu/machine.ts";
import {
  buildProbe,
  compare,
  describeDifferences,
  type Listing,
  probeMachine,
  probeRoot,
  referenceListing,
} from "../../qemu/probe.ts";
import { packInitramfs } from "../../qemu/tree.ts";

const TIMEOUT_MS = 60_000;
const UUID = "8a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a002";
const WORDS = 'quiet single name=value module.parameter=1 odd="two words" -- last words';
const dir = mkdtempSync(join(tmpdir(), "rdinit-handover-"));
const file = join(dir, "root.img");
let builtin: Kernel;
let direct: Listing;

beforeAll(async () => {
  builtin = await builtinKernel();
  await makeDisk({ file, type: "ext4", tree: await probeRoot(), uuid: UUID });
  direct = await referenceListing({
    name: "handover-direct",
    kernel: builtin.vmlinuz,
    append: `root=/dev/vda ${WORDS}`,
    disks: [{ file }],
    timeout_ms: TIMEOUT_MS,
  });
}, 2 * TIMEOUT_MS);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The probe's listing when rdinit starts it, with the same words. */
async function throughRdinit(
  name: string,
  options: Partial<MachineOptions> = {},
  root = "/dev/vda",
): Promise<Listing> {
  return probeMachine({
    name,
    kernel: builtin.vmlinuz,
    initrd: options.initrd ?? (await rdinitImage({ name })),
    append: `root=${root} ${WORDS}`,
    disks: [{ file }],
    timeout_ms: TIMEOUT_MS,
    ...options,
  });
}

test(
  "a kernel with all drivers built in",
  async () => {
    const through = await throughRdinit("handover-builtin");
    expect(describeDifferences(compare(direct, through, HANDOVER_RULES))).toBe("");
  },
  TIMEOUT_MS,
);

test(
  "four processors",
  async () => {
    const options = {
      name: "handover-direct-smp",
      kernel: builtin.vmlinuz,
      disks: [{ file }],
      cpus: 4,
      timeout_ms: TIMEOUT_MS,
    };
    const directly = await referenceListing({ ...options, append: `root=/dev/vda ${WORDS}` });
    const through = await throughRdinit("handover-smp", { cpus: 4 });
    expect(describeDifferences(compare(directly, through, HANDOVER_RULES))).toBe("");
  },
  2 * TIMEOUT_MS,
);

test(
  "the distribution's kernel, its drivers in modules, the root by UUID",
  async () => {
    const stock = await stockKernel();
    const through = await throughRdinit(
      "handover-stock",
      {
        kernel: stock.vmlinuz,
        initrd: await rdinitImage({ name: "handover-stock", kernel: stock }),
        memory_mb: 512,
      },
      `UUID=${UUID}`,
    );
    // This kernel can't start an init from a disk by itself; it starts one from an initramfs that holds nothing else.
    const initrd = join(dir, "probe.cpio");
    await packInitramfs([{ path: "/init", kind: "file", from: await buildProbe(), mode: 0o755 }], initrd);
    const bare = await probeMachine({
      name: "handover-stock-bare",
      kernel: stock.vmlinuz,
      initrd,
      append: WORDS,
      timeout_ms: TIMEOUT_MS,
    });
    expect(describeDifferences(compare(bare, through, [...HANDOVER_RULES, ...ROOTFS_RULES]))).toBe("");
  },
  2 * TIMEOUT_MS,
);
