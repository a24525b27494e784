/** `rdinit check` on real images: whole ones, cut ones, and ones that lack something. */

import { beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run, tryRun } from "../../qemu/host.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const RDINIT = join(PROJECT, "build/rdinit");
const dir = temporaryDirectory();
const LINE = "root=UUID=8a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a003";
let kernel: Kernel;
let image: string;

beforeAll(async () => {
  kernel = await stockKernel();
  image = join(dir, "whole.img");
  const options = [
    "--modules",
    kernel.modules,
    "--drivers",
    "virtio_pci virtio_blk ext4",
    "--tools",
    "e2fsck",
  ];
  await run([RDINIT, "image", "-o", image, ...options]);
}, 600_000);

// The disks of the machine that runs the test are none of its business: with --root they do not count.
function check(file: string, ...options: string[]) {
  return tryRun([RDINIT, "check", file, "--cmdline", LINE, "--root", dir, ...options]);
}

test("an image of ours would boot", async () => {
  const { status, stdout } = await check(image);
  expect(stdout).not.toContain("error:");
  expect(stdout).toEndWith(`${image} would boot.\n`);
  expect(status).toBe(0);
});

test("with less memory than it takes, or for another kernel, it would not", async () => {
  const small = await check(image, "--memory", "160");
  expect(small.stdout).toMatch(
    /^error: It takes \d+ MB of memory .* only 160 MB: the kernel could not unpack it\.$/m,
  );
  expect(small.status).toBe(1);
  const other = await check(image, "--kernel", "5.10");
  expect(other.stdout).toContain(
    `error: It has no modules for the kernel 5.10, but for ${kernel.version}.\n`,
  );
  expect(other.status).toBe(1);
});

test("a cut image would not, wherever it was cut", async () => {
  const whole = readFileSync(image);
  for (const part of [0.1, 0.5, 0.99, 0.9999]) {
    const file = join(dir, `cut-${part}.img`);
    writeFileSync(file, whole.subarray(0, Math.floor(whole.length * part)));
    const { status, stdout } = await check(file);
    expect(stdout).toMatch(/^error: .*(?:is damaged|cut short)/m);
    expect(status).toBe(1);
  }
}, 30_000);

test("what /init would stop at, and what it would not know", async () => {
  const none = await tryRun([RDINIT, "check", image, "--cmdline", "quiet rd.nonsense=x", "--root", dir]);
  expect(none.stdout).toContain("error: The kernel command line names no root filesystem.");
  expect(none.stdout).toContain("warning: rd.nonsense=x on the command line is ignored");
  expect(none.status).toBe(1);
});

test("an image that is none is a sentence", async () => {
  writeFileSync(join(dir, "text"), "Hello, world, this is no image.\n");
  const { status, stdout } = await check(join(dir, "text"));
  expect(stdout).toMatch(/is no initramfs: it begins with/);
  expect(status).toBe(1);
  const missing = await check(join(dir, "nowhere"));
  expect(missing.stderr).toBe(`rdinit: There is no image ${join(dir, "nowhere")}.\n`);
  expect(missing.status).toBe(2);
});
