/**
 * `make run`: boots a demo root, or the user's own disk image, in this terminal.
 *
 *   bun qemu/run.ts [--append "KERNEL PARAMETERS"] [--disk FILE] [--memory MIB] [--net unlock]
 */

import minimist from "minimist";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError, describe } from "../src/lib/errors.ts";
import { probeSuperblock, isAmbivalent } from "../src/probe/superblock.ts";
import { readPartitionTable } from "../src/probe/partitions.ts";
import { demoTree } from "./demo.ts";
import { makeDisk } from "./disks.ts";
import { PROJECT, run } from "./host.ts";
import { runImage } from "./images.ts";
import { stockKernel } from "./kernel.ts";
import { makeEncryptedDemo, prepareUnlock } from "./run-unlock.ts";

const DEMO_UUID = "de300000-0000-4000-8000-00000000de30";

async function main(): Promise<number> {
  const args = minimist(process.argv.slice(2), { string: ["append", "disk", "memory", "net"] });
  const append = text(args["append"]);
  const kernel = await stockKernel();
  const net = text(args["net"]);
  if (!["", "unlock"].includes(net))
    throw new UserError(`There is no demo NET=${net}.`, "NET=unlock is one.");
  const unlock = net === "unlock" ? await prepareUnlock() : undefined;
  const disk = await chooseDisk(text(args["disk"]), unlock !== undefined);
  const initrd = await runImage(kernel, disk.types, unlock?.keys);
  // The user's own root= comes behind ours and wins.
  // What the user is told to type must not scroll away.
  const quiet = unlock === undefined ? [] : ["quiet"];
  const parameters = [
    "console=ttyS0",
    ...quiet,
    ...(disk.root === undefined ? [] : [`root=${disk.root}`]),
    append,
  ]
    .join(" ")
    .trim();
  process.stdout.write(`Booting with: ${parameters}\nCtrl-A X leaves.\n\n${unlock?.words ?? ""}\n`);
  const qemu = Bun.spawn(
    [
      "qemu-system-x86_64",
      ...[
        "-machine",
        "q35",
        "-accel",
        "tcg",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-m",
        text(args["memory"]) || "512",
      ],
      // -nographic would have the firmware clear the screen, and what stands there.
      ...["-display", "none", "-vga", "none", "-serial", "mon:stdio"],
      ...["-no-reboot", "-kernel", kernel.vmlinuz, "-initrd", initrd, "-append", parameters],
      ...["-drive", `file=${disk.file.replaceAll(",", ",,")},if=virtio,format=${disk.format}`],
      ...(unlock?.card ?? ["-nic", "none"]),
      ...["-device", "virtio-rng-pci"],
    ],
    { stdio: ["inherit", "inherit", "inherit"] },
  );
  return qemu.exited;
}

interface RunDisk {
  readonly file: string;
  readonly format: string;
  /** The filesystems that are on it, or may be. */
  readonly types: readonly string[];
  /** What root= says; undefined when it can't be told and the user must. */
  readonly root: string | undefined;
}

async function chooseDisk(asked: string, encrypted: boolean): Promise<RunDisk> {
  if (asked === "") return makeDemoDisk(encrypted);
  if (!existsSync(asked))
    throw new UserError(`The disk image ${asked} does not exist.`, "Name another by DISK=file.");
  const info = JSON.parse(await run(["qemu-img", "info", "--output=json", asked])) as { format: string };
  const filesystems = info.format === "raw" ? await findFilesystems(asked) : [];
  const roots = filesystems.filter(({ type }) => type !== "vfat");
  const root = roots.length === 1 ? roots[0]?.root : undefined;
  if (root === undefined)
    process.stdout.write(
      `Which filesystem of ${asked} is the root can't be told; say it by APPEND="root=…".\n`,
    );
  const types =
    filesystems.length === 0 ? ["ext4", "xfs", "btrfs"] : [...new Set(filesystems.map(({ type }) => type))];
  return { file: asked, format: info.format, types, root };
}

async function makeDemoDisk(encrypted: boolean): Promise<RunDisk> {
  const root = `UUID=${DEMO_UUID}`;
  if (encrypted) return { file: await makeEncryptedDemo(DEMO_UUID), format: "raw", types: ["ext4"], root };
  const file = join(PROJECT, "build/demo.img");
  rmSync(file, { force: true });
  await makeDisk({ file, type: "ext4", tree: await demoTree(), uuid: DEMO_UUID, label: "rdinit-demo" });
  return { file, format: "raw", types: ["ext4"], root };
}

/** The mountable filesystems of a raw image, on the disk itself and in its partitions, and what root= calls each. */
async function findFilesystems(file: string): Promise<{ type: string; root: string }[]> {
  const image = Bun.file(file);
  const reader = (start: number) => (offset: number, length: number) =>
    image.slice(start + offset, start + offset + length).bytes();
  const table = await readPartitionTable(reader(0), image.size, 512);
  const places = [
    { node: "/dev/vda", start: 0, size: image.size },
    ...(table?.partitions ?? []).map((p) => ({
      node: `/dev/vda${p.number}`,
      start: p.start_bytes,
      size: p.size_bytes,
    })),
  ];
  const filesystems: { type: string; root: string }[] = [];
  for (const { node, start, size } of places) {
    const found = await probeSuperblock(reader(start), size);
    if (found === undefined || isAmbivalent(found) || found.usage !== "filesystem") continue;
    filesystems.push({ type: found.type, root: found.uuid === undefined ? node : `UUID=${found.uuid}` });
  }
  return filesystems;
}

function text(argument: unknown): string {
  return typeof argument === "string" ? argument : "";
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`run: ${describe(error)}\n`);
  process.exitCode = 1;
}
