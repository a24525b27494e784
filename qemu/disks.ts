/** Disks for the boot tests, made from a tree on the build machine without root. */

import { readdirSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { run } from "./host.ts";
import { IMAGE_TIME, withStaged } from "./tree.ts";
import type { Tree } from "./tree.ts";

export type FilesystemType = "ext4" | "xfs" | "btrfs" | "f2fs" | "vfat" | "squashfs" | "erofs";

export interface Partition {
  readonly table: "gpt" | "dos";
  /** The disk's identifier: a UUID for gpt, eight hexadecimal digits for dos. */
  readonly disk_id: string;
  /** PARTUUID; gpt only, dos makes it from `disk_id` and the number. */
  readonly uuid?: string;
  /** PARTLABEL; gpt only. */
  readonly name?: string;
  /** Its number, 1 when left out; the others stay unused. */
  readonly number?: number;
  /** Type of the partition as sfdisk takes it; "linux" when left out. */
  readonly type?: string;
}

export interface DiskRecipe {
  readonly file: string;
  readonly type: FilesystemType;
  readonly tree: Tree;
  /** Written as blkid prints it: a UUID, for vfat "XXXX-XXXX". squashfs has none. */
  readonly uuid?: string;
  /** squashfs and erofs have none. */
  readonly label?: string;
  /**
   * Size of the file system; 64 when left out, and 300 is the least for xfs. squashfs and erofs take what
   * they need.
   */
  readonly size_mb?: number;
  /** Puts the file system into a partition that begins at 1 MiB. */
  readonly partition?: Partition;
}

interface Job {
  readonly file: string;
  readonly dir: string;
  readonly uuid: string | undefined;
  readonly label: string | undefined;
}

const MIB = 1 << 20;

/** How each file system is made in a file of the right size, filled from a folder. */
const MAKERS: Readonly<Record<FilesystemType, (job: Job) => Promise<unknown>>> = {
  ext4: async ({ file, dir, uuid, label }) => {
    const env = { E2FSPROGS_FAKE_TIME: String(IMAGE_TIME) };
    const options = `root_owner=0:0${uuid === undefined ? "" : `,hash_seed=${uuid}`}`;
    const names = [...option("-U", uuid), ...option("-L", label)];
    await run(["mkfs.ext4", "-q", "-F", ...names, "-E", options, "-d", dir, file], { env });
    await run(["debugfs", "-w", "-f", "-", file], { env, stdin: ext4Repairs(dir) });
  },
  xfs: async ({ file, dir, uuid, label }) => {
    const prototype = `${file}.proto`;
    writeFileSync(prototype, `-\n0 0\n${xfsPrototype(dir)}`);
    const id = option("-m", uuid === undefined ? undefined : `uuid=${uuid}`);
    await run(["mkfs.xfs", "-q", "-f", ...id, ...option("-L", label), "-p", prototype, file]);
    rmSync(prototype);
  },
  btrfs: ({ file, dir, uuid, label }) =>
    run(["mkfs.btrfs", "-q", ...option("-U", uuid), ...option("-L", label), "--rootdir", dir, file]),
  f2fs: async ({ file, dir, uuid, label }) => {
    await run(["mkfs.f2fs", "-q", "-f", ...option("-U", uuid), ...option("-l", label), file]);
    await run(["sload.f2fs", "-f", dir, "-t", "/", file]);
  },
  vfat: async ({ file, dir, uuid, label }) => {
    await run(["mkfs.vfat", ...option("-i", uuid?.replace("-", "")), ...option("-n", label), file]);
    const names = readdirSync(dir).map((name) => join(dir, name));
    if (names.length > 0) await run(["mcopy", "-s", "-i", file, ...names, "::"]);
  },
  squashfs: ({ file, dir }) => {
    rmSync(file);
    const times = ["-mkfs-time", String(IMAGE_TIME), "-all-time", String(IMAGE_TIME)];
    return run(["mksquashfs", dir, file, "-all-root", "-quiet", "-no-progress", ...times]);
  },
  erofs: ({ file, dir, uuid }) =>
    run(["mkfs.erofs", "-T", String(IMAGE_TIME), ...option("-U", uuid), "--all-root", file, dir]),
};

/** Makes the disk, `recipe.file`, anew. */
export async function makeDisk(recipe: DiskRecipe): Promise<void> {
  const { file, partition } = recipe;
  const part = partition === undefined ? file : `${file}.part`;
  rmSync(part, { force: true });
  writeFileSync(part, "");
  truncateSync(part, (recipe.size_mb ?? 64) * MIB);
  const { uuid, label } = recipe;
  await withStaged(recipe.tree, (dir) => MAKERS[recipe.type]({ file: part, dir, uuid, label }));
  if (partition === undefined) return;
  try {
    await partitionDisk(file, part, partition);
  } finally {
    rmSync(part);
  }
}

async function partitionDisk(file: string, part: string, partition: Partition): Promise<void> {
  const size_mb = Math.ceil(statSync(part).size / MIB);
  rmSync(file, { force: true });
  writeFileSync(file, "");
  // gpt keeps a copy of its table in the last 33 sectors.
  truncateSync(file, (size_mb + 2) * MIB);
  const fields = [`start=1MiB`, `size=${size_mb}MiB`, `type=${partition.type ?? "linux"}`];
  if (partition.uuid !== undefined) fields.push(`uuid=${partition.uuid}`);
  if (partition.name !== undefined) fields.push(`name="${partition.name}"`);
  const id = partition.table === "dos" ? `0x${partition.disk_id}` : partition.disk_id;
  const lines = [
    `label: ${partition.table}`,
    `label-id: ${id}`,
    `${partition.number ?? 1} : ${fields.join(", ")}`,
  ];
  await run(["sfdisk", "-q", file], { stdin: `${lines.join("\n")}\n` });
  await run(["dd", `if=${part}`, `of=${file}`, "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"]);
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

/** debugfs's commands for what mkfs.ext4 copies from the folder and should not: who made it, and when. */
function ext4Repairs(dir: string): string {
  const paths = ["", ...readdirSync(dir, { recursive: true, encoding: "utf8" }).sort()];
  const fields = ["uid 0", "gid 0", ...["atime", "ctime", "mtime"].map((name) => `${name} @${IMAGE_TIME}`)];
  return paths.flatMap((path) => fields.map((field) => `sif "/${path}" ${field}\n`)).join("");
}

/**
 * The folder in mkfs.xfs's prototype language: type and mode, owner, group, then what a file is copied from.
 */
function xfsPrototype(dir: string): string {
  return `${xfsLines(dir, "").join("\n")}\n`;
}

function xfsLines(path: string, name: string): string[] {
  const stat = lstatSync(path);
  if (/\s/.test(name)) throw new UserError(`xfs prototypes can't hold the name '${name}'.`);
  const mode = (stat.mode & 0o777).toString(8).padStart(3, "0");
  const setid = `${stat.mode & 0o4000 ? "u" : "-"}${stat.mode & 0o2000 ? "g" : "-"}`;
  if (stat.isSymbolicLink()) return [`${name} l--777 0 0 ${readlinkSync(path)}`];
  if (!stat.isDirectory()) return [`${name} -${setid}${mode} 0 0 ${path}`];
  const below = readdirSync(path)
    .sort()
    .flatMap((entry) => xfsLines(join(path, entry), entry));
  return [`${name} d${setid}${mode} 0 0`.trim(), ...below, "$"];
}
