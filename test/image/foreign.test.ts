/** `rdinit list` against GNU cpio, line for line, on the images of other builders and on our own. */

import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { stockKernel, type Kernel } from "../../qemu/kernel.ts";
import { dracutImage } from "../../qemu/peers/dracut.ts";
import { initramfsToolsImage } from "../../qemu/peers/initramfs-tools.ts";
import { peersNeed } from "../../qemu/peers/peer.ts";
import { readImage, type Segment } from "../../src/image/archive.ts";
import { ArchiveTree } from "../../src/image/archive-tree.ts";
import { COMPRESSORS, pipe } from "../fixtures/compress.ts";
import { RAW_TRAILER, rawEntry } from "../fixtures/newc.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

/** It may build the images, which takes minutes. */
const BUILD_MS = 900_000;
const TEST_MS = 60_000;
const UTC = { TZ: "UTC", LC_ALL: "C" };

let kernel: Kernel;
beforeAll(async () => {
  kernel = await stockKernel();
}, BUILD_MS);

function list(path: string, ...options: string[]): string {
  const argv = [process.execPath, join(PROJECT, "src/main.ts"), "list", ...options, path];
  return Buffer.from(pipe(argv, "", { env: UTC })).toString("latin1");
}

/** What GNU cpio says of a segment, unpacked by the program of its compression. */
function cpioList(image: Uint8Array, { offset, size, compression }: Segment, option: string): string {
  const bytes = image.subarray(offset, offset + size);
  const [program] = compression === "none" ? [] : COMPRESSORS[compression];
  const archive = program === undefined ? bytes : pipe([program, "-dc"], bytes);
  return Buffer.from(pipe(["cpio", option, "--quiet"], archive, { env: UTC })).toString("latin1");
}

function expectAgreement(path: string): readonly Segment[] {
  const image = new Uint8Array(readFileSync(path));
  const { segments, damage } = readImage(image, path);
  expect(damage).toBeUndefined();
  for (const [options, option] of [
    [[], "-itv"],
    [["--numeric"], "-itvn"],
  ] as const) {
    const theirs = segments.map((segment) => cpioList(image, segment, option)).join("");
    expect(list(path, ...options).split("\n")).toEqual(theirs.split("\n"));
  }
  return segments;
}

const need = peersNeed();
const builders = { "initramfs-tools": initramfsToolsImage, dracut: dracutImage };

for (const [name, build] of Object.entries(builders))
  describe.skipIf(need !== undefined)(need === undefined ? name : `${name} (${need})`, () => {
    let path: string;
    beforeAll(async () => {
      path = await build(kernel);
    }, BUILD_MS);

    test(
      "lists as GNU cpio does, each segment",
      () => {
        const members = expectAgreement(path).flatMap((segment) => segment.members);
        expect(members.length).toBeGreaterThan(1000);
      },
      TEST_MS,
    );

    test(
      "and so it does behind early microcode",
      () => {
        const early = rawEntry({ name: "kernel/x86/microcode/GenuineIntel.bin", data: "x" }) + RAW_TRAILER;
        const both = join(temporaryDirectory(), "initrd");
        writeFileSync(
          both,
          Buffer.concat([Buffer.from(early.padEnd(512, "\0"), "latin1"), readFileSync(path)]),
        );
        expect(expectAgreement(both).map((segment) => segment.early)).toEqual([true, false]);
      },
      TEST_MS,
    );

    test(
      "has an init, a shell and modules in the tree that it makes",
      () => {
        const tree = new ArchiveTree(readImage(readFileSync(path)), path);
        expect(tree.lost).toEqual([]);
        expect(tree.resolve("/init")).toMatchObject({ type: "file", mode: 0o755 });
        expect(Buffer.from(tree.read("/bin/sh") ?? []).toString("latin1", 0, 4)).toBe("\x7fELF");
        expect(tree.list("/lib/modules")).toEqual([kernel.version]);
        expect(tree.read(`/lib/modules/${kernel.version}/modules.dep`)?.length).toBeGreaterThan(1000);
      },
      TEST_MS,
    );
  });

test(
  "our own",
  async () => {
    const path = await rdinitImage({ name: "foreign", kernel, init: "/bin/busybox", shell: true });
    expect(expectAgreement(path).length).toBe(1);
  },
  TEST_MS,
);
