/** One block device: what sysfs tells of it, and what is written on it. */

import { type Fd, O_CLOEXEC, O_NONBLOCK, O_RDONLY, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import { readPartitionTable } from "../../probe/partitions.ts";
import type { PartitionTable } from "../../probe/table.ts";
import { type Found, type Reader, isAmbivalent, probeSuperblock } from "../../probe/superblock.ts";
import { isPartOfVolume } from "../storage/lvm-names.ts";
import { readAttribute } from "./attributes.ts";
import type { Turns } from "./turns.ts";
import { parseUeventFile } from "./uevent.ts";

/** One block device. What is on it is read at the first question, and again after each change. */
export interface BlockDevice {
  /** The kernel's name: "vda1". */
  readonly name: string;
  readonly node: string;
  /** "major:minor" */
  readonly rdev: string;
  readonly size_bytes: number;
  /** For a partition: its number, its name in the table if the kernel says, and its disk. */
  readonly partition:
    { readonly number: number; readonly name: string | undefined; readonly disk: string } | undefined;
  /** The name of a device-mapper device. */
  readonly dmName: string | undefined;
  readonly contents: () => Promise<Contents>;
  readonly table: () => Promise<PartitionTable | undefined>;
}

/** What a device holds; `problem` is a sentence when that can't be told. */
export interface Contents {
  readonly found: Found | undefined;
  readonly problem: string | undefined;
}

/**
 * The device of this name as sysfs tells of it now; undefined when there is none, or nothing to read on it yet. What is
 * on it is read when it is its turn, and `answered` called then.
 */
export function describeDevice(
  sys: Syscalls,
  name: string,
  turns: Turns,
  answered: () => void,
): BlockDevice | undefined {
  const directory = `/sys/class/block/${name}`;
  const uevent = readAttribute(sys, `${directory}/uevent`);
  if (uevent === undefined) return undefined;
  const values = parseUeventFile(uevent);
  // Without a number there is no node: a hidden path of a multipath NVMe disk.
  if (!values.has("MAJOR")) return undefined;
  const size_bytes = Number(readAttribute(sys, `${directory}/size`) ?? "0") * 512;
  // An empty drive, a loop device without a file: there is nothing to read yet, and an event will say when.
  if (!(size_bytes > 0)) return undefined;
  const dmName = readAttribute(sys, `${directory}/dm/name`);
  if (dmName !== undefined && isHidden(sys, directory, dmName)) return undefined;
  const number = values.get("PARTN");
  const sector_bytes = readSectorSize(sys, directory);
  const node = `/dev/${values.get("DEVNAME") ?? name}`;
  return {
    name,
    node,
    rdev: `${values.get("MAJOR")}:${values.get("MINOR")}`,
    size_bytes,
    partition:
      number === undefined
        ? undefined
        : { number: Number(number), name: values.get("PARTNAME"), disk: diskOf(sys, directory) },
    dmName,
    contents: once(() =>
      turns.take(() => readContents(sys, node, size_bytes, sector_bytes)).finally(answered),
    ),
    table: once(() => turns.take(() => readTable(sys, node, size_bytes, sector_bytes)).finally(answered)),
  };
}

/** Reads of a device by its node, for as long as `use` takes. Rejects with SysError, or as `use` does. */
export async function withReader<T>(
  sys: Syscalls,
  node: string,
  use: (read: Reader) => Promise<T>,
): Promise<T> {
  // O_NONBLOCK: a drive with a door must not wait for its medium.
  const fd: Fd = await sys.slow.open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  try {
    return await use(async (offset, length) => {
      const buffer = new Uint8Array(length);
      const got = await sys.slow.pread(fd, buffer, offset);
      return buffer.subarray(0, got);
    });
  } finally {
    sys.close(fd);
  }
}

// A suspended device keeps its readers waiting, and an event says when it is resumed.
function isHidden(sys: Syscalls, directory: string, dmName: string): boolean {
  return (
    readAttribute(sys, `${directory}/dm/suspended`) === "1" ||
    isPartOfVolume(dmName, readAttribute(sys, `${directory}/dm/uuid`) ?? "")
  );
}

// A partition's directory lies in its disk's.
function diskOf(sys: Syscalls, directory: string): string {
  try {
    return sys.readlink(directory).split("/").at(-2) ?? "";
  } catch (error) {
    // The device went away between the event and this look.
    if (isErrno(error, "ENODEV", "ENOENT", "ENXIO", "EIO")) return "";
    throw error;
  }
}

function once<T>(act: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= act());
}

async function readContents(
  sys: Syscalls,
  node: string,
  size_bytes: number,
  sector_bytes: number,
): Promise<Contents> {
  try {
    const found = await withReader(sys, node, (read) => probeSuperblock(read, size_bytes, sector_bytes));
    if (found === undefined || !isAmbivalent(found)) return { found, problem: undefined };
    const types = found.candidates.map((candidate) => candidate.type).join(" and ");
    return {
      found: undefined,
      problem: `${node} carries the superblocks of ${types}; name the right one by rootfstype=, or remove the other by wipefs.`,
    };
  } catch (error) {
    return { found: undefined, problem: `${node} can't be read: ${describe(error)}.` };
  }
}

async function readTable(
  sys: Syscalls,
  node: string,
  size_bytes: number,
  sector_bytes: number,
): Promise<PartitionTable | undefined> {
  try {
    return await withReader(sys, node, (read) => readPartitionTable(read, size_bytes, sector_bytes));
  } catch {
    // contents() says why the device can't be read.
    return undefined;
  }
}

// Only disks have a queue; a partition's directory lies in its disk's.
function readSectorSize(sys: Syscalls, directory: string): number {
  const attribute = "queue/logical_block_size";
  return Number(
    readAttribute(sys, `${directory}/${attribute}`) ??
      readAttribute(sys, `${directory}/../${attribute}`) ??
      512,
  );
}
