/** Modules of the distribution's kernel: compressed in each way, and missing. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { readData } from "../../src/image/cpio.ts";
import { collectModules } from "../../src/image/kmod.ts";
import { RootTree } from "../../src/image/root-tree.ts";
import { toBytes } from "../../src/lib/bytes.ts";
import { run } from "../../qemu/host.ts";
import { MACHINE_DRIVERS } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import {
  MACHINE_MS,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  ROOT_UUID,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let kernel: Kernel;
let disk: string;

beforeAll(async () => {
  kernel = await stockKernel();
  disk = await probeDisk(dir);
}, MACHINE_MS);

/** Compressors by the suffix of what they make; xz with the checksum that the kernel's own tools take. */
const compressors: readonly (readonly [suffix: string, argv: readonly string[]])[] = [
  [".xz", ["xz", "--check=crc32", "--keep"]],
  [".gz", ["gzip", "--keep"]],
  [".zst", ["zstd", "-q", "--keep"]],
];

test(
  "compressed by xz, gzip and zstd in turn",
  async () => {
    // DIR/lib/modules/VERSION
    const root = new RootTree(join(kernel.modules, "../../.."));
    const { modules, lists } = collectModules(root, { release: kernel.version, names: MACHINE_DRIVERS });
    expect(modules.length).toBeGreaterThanOrEqual(2 * compressors.length);
    const place = `lib/modules/${kernel.version}`;
    const suffixes = new Map<string, string>();
    const files: { to: string; from?: string; data?: Uint8Array }[] = [];
    for (const [index, { name, path, data }] of modules.entries()) {
      const [suffix, argv] = compressors[index % compressors.length] ?? ["", []];
      const file = join(dir, `${name}.ko`);
      await Bun.write(file, Buffer.concat([...readData(path, data)]));
      await run([...argv, file]);
      suffixes.set(path, suffix);
      files.push({ to: `${place}/${path}${suffix}`, from: `${file}${suffix}` });
    }
    const compressed = (list: string) =>
      list.replace(/[^\s:]+\.ko(?=[\s:])/g, (path) => `${path}${suffixes.get(path) ?? ""}`);
    for (const [name, list] of lists)
      files.push({ to: `${place}/${name}`, data: toBytes(name === "modules.dep" ? compressed(list) : list) });
    const machine = await bootRdinit("modules-compressed", {
      kernel: kernel.vmlinuz,
      append: `root=UUID=${ROOT_UUID} debug`,
      disks: [{ file: disk }],
      image: { files },
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("ext4");
    expect(Number(listing.get("modules.count"))).toBeGreaterThanOrEqual(modules.length);
  },
  TEST_MS,
);

test(
  "without the disk's driver: the report names the device that found no module",
  async () => {
    const machine = await bootRdinit("modules-missing", {
      kernel: kernel.vmlinuz,
      append: "root=/dev/vda rd.timeout=1 panic=-1",
      disks: [{ file: disk }],
      image: { kernel, drivers: ["virtio_pci", "ext4"] },
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "The root /dev/vda did not appear.",
      "The machine has no block device that the kernel knows.",
      // virtio device type 2 is a disk (virtio 1.1, 5.2); its PCI function itself has a driver.
      /^No module in this image serves (?!.*pci:v00001AF4).*\bvirtio:d00000002v00001AF4\b.*\.$/,
    ]);
  },
  TEST_MS,
);

const AHCI = /ahci 0000:00:1f\.2: AHCI/;
const UDEV = [{ path: "/usr/lib/systemd/systemd-udevd", kind: "text", text: "", mode: 0o755 }] as const;

test.each([
  { name: "no-udev", more: [], words: "" },
  { name: "udev-single", more: UDEV, words: "single" },
])(
  "drivers of other disks are loaded where the real system may not do it: $name",
  async ({ name, more, words }) => {
    const modules = { path: `/lib/modules/${kernel.version}/modules.dep`, kind: "text", text: "" } as const;
    const root = await probeDisk(dir, { file: `${name}.img`, more: [modules, ...more] });
    const machine = await bootRdinit(`modules-${name}`, {
      image: { kernel, drivers: [...MACHINE_DRIVERS, "ahci"] },
      append: `root=UUID=${ROOT_UUID} ${words}`,
      disks: [{ file: root }],
    });
    await probed(machine);
    expect(machine.console.text).toMatch(AHCI);
  },
  TEST_MS,
);

test(
  "a module's parameters on the command line; a disk's driver that is forbidden there keeps the root away, and is named",
  async () => {
    const image = { kernel, drivers: [...MACHINE_DRIVERS, "loop"] };
    const boot = (name: string, append: string) =>
      bootRdinit(`modules-${name}`, {
        kernel: kernel.vmlinuz,
        append: `root=UUID=${ROOT_UUID} panic=-1 ${append}`,
        disks: [{ file: disk }],
        image,
      });
    const listing = await probed(
      await boot("parameters", "rd.driver.pre=loop loop.max_loop=3 modprobe.blacklist=nosuch"),
    );
    const loops = [0, 1, 2, 3].map((at) => listing.get(`dir./dev/loop${at}`) !== undefined);
    expect(loops).toEqual([true, true, true, false]);
    const without = await boot("blacklisted", "rd.driver.blacklist=virtio_blk rd.timeout=1");
    await without.expectEnd("rebooted");
    expectSaid(without, [
      "The module virtio_blk is not loaded: it is blacklisted, on the command line or in modprobe.d.",
      `The root UUID=${ROOT_UUID} did not appear.`,
    ]);
  },
  TEST_MS * 2,
);
