/** An initramfs that the kernel could not unpack whole, about which the kernel itself says next to nothing. */

import { beforeAll, expect, test } from "bun:test";
import { copyFileSync, statSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { PROJECT } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { packInitramfs } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
}, MACHINE_MS);

for (const program of ["build/rdinit", "build/init"])
  test(
    `half of ${program}: the entry stub says so before the runtime could crash, and does what panic= asks`,
    async () => {
      const whole = join(PROJECT, program);
      const size_bytes = statSync(whole).size;
      const kept_bytes = Math.floor(size_bytes / 2);
      const half = join(dir, "half");
      copyFileSync(whole, half);
      truncateSync(half, kept_bytes);
      const initrd = join(dir, "half.cpio");
      await packInitramfs([{ path: "/init", kind: "file", from: half, mode: 0o755 }], initrd);
      const name = `cutshort-${basename(program)}`;
      const machine = await bootRdinit(name, { append: "root=/dev/vda panic=-1", initrd });
      await machine.expectEnd("rebooted");
      expectSaid(machine, [
        `/init is cut short: ${kept_bytes} of ${size_bytes} bytes. The initramfs was not unpacked whole: ` +
          "the image is truncated, or the machine has too little memory for it. Boot another image, or give the " +
          "machine more memory.",
      ]);
      expect(machine.console.text).not.toContain("Kernel panic");
    },
    TEST_MS,
  );

test(
  "an archive cut behind /init: the boot goes on with a warning",
  async () => {
    const image = await rdinitImage({
      name: "cutshort",
      files: [{ to: "zz/last", data: new Uint8Array(1 << 20) }],
    });
    const initrd = join(dir, "cut.cpio");
    copyFileSync(image, initrd);
    truncateSync(initrd, statSync(image).size - (1 << 19));
    const machine = await bootRdinit("cutshort-archive", {
      append: "root=/dev/vda",
      disks: [{ file: disk }],
      initrd,
    });
    await probed(machine);
    expectSaid(machine, [
      "The initramfs was cut short: its last file is missing. The image file is truncated, or the machine has too " +
        "little memory to unpack it. What is missing may stop the boot; build the image anew, or boot another one.",
    ]);
  },
  TEST_MS,
);
