/** Roots of every filesystem under the distribution's kernel, whose drivers and filesystems are modules. */

import { beforeAll, expect, test } from "bun:test";
import type { DiskRecipe } from "../../qemu/disks.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, probeDisk, probed } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let kernel: Kernel;
let initrd: string;

const UUID = "fafa4d0e-0c5f-4a55-9d2e-51c7e0b7a003";

/** What is made, and how the root is named. */
const filesystems: readonly (Pick<DiskRecipe, "type" | "uuid" | "label" | "size_mb"> & {
  readonly root: string;
})[] = [
  { type: "xfs", uuid: UUID, size_mb: 300, root: `UUID=${UUID}` },
  { type: "btrfs", uuid: UUID, size_mb: 128, root: `UUID=${UUID}` },
  { type: "f2fs", label: "flash", size_mb: 64, root: "LABEL=flash" },
  // It asks for its code pages by request_module(), which serves nobody in an image without modprobe.
  { type: "vfat", uuid: "ABCD-1234", root: "UUID=ABCD-1234 rd.driver.pre=nls_cp437,nls_ascii" },
  { type: "squashfs", root: "/dev/vda" },
  { type: "erofs", uuid: UUID, root: `UUID=${UUID}` },
];

beforeAll(async () => {
  kernel = await stockKernel();
  const drivers = [
    "virtio_pci",
    "virtio_blk",
    ...filesystems.map(({ type }) => type),
    "nls_cp437",
    "nls_ascii",
  ];
  initrd = await rdinitImage({ name: "filesystems", kernel, drivers });
}, MACHINE_MS);

for (const { root, ...recipe } of filesystems)
  test(
    recipe.type,
    async () => {
      const file = await probeDisk(dir, { ...recipe, file: recipe.type });
      const machine = await bootRdinit(`filesystems-${recipe.type}`, {
        kernel: kernel.vmlinuz,
        append: `root=${root} quiet`,
        disks: [{ file }],
        initrd,
      });
      const listing = await probed(machine);
      expect(listing.get("mount./.type")).toBe(recipe.type);
      expect(listing.get("mount./.options")).toMatch(/^ro,/);
      expect(listing.get("processes.others")).toBe("0");
    },
    TEST_MS,
  );
