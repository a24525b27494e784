/** The block devices of the machine, kept up to date by uevents, and what is written on them. */

import {
  type Fd,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  type Syscalls,
  isErrno,
  list,
  readTextIfThere,
} from "../../syscalls/index.ts";
import { describe } from "../lib/errors.ts";
import { type PartitionTable, readPartitionTable } from "../probe/partitions.ts";
import { type Found, type Reader, isAmbivalent, probeSuperblock } from "../probe/superblock.ts";
import { isPartOfVolume } from "./storage/lvm-names.ts";
import { Turns } from "./turns.ts";
import { parseUeventFile, type Uevent } from "./uevent.ts";

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

// A look at a disk takes two threads' worth of calls and 200 kB, and a machine may have hundreds of disks.
const readersAtOnce = 32;

// A disk that takes longer may never answer.
const turn_ms = 100;

export class BlockDevices {
  private readonly sys: Syscalls;
  private readonly byName = new Map<string, BlockDevice>();
  private waiters: (() => void)[] = [];
  private changes = 0;
  /** All of them in their order, until one comes or goes. */
  private sorted: readonly BlockDevice[] | undefined;
  private readonly turns = new Turns(readersAtOnce, turn_ms, () => this.wake());
  private missed: () => void = () => undefined;

  constructor(sys: Syscalls) {
    this.sys = sys;
  }

  /** All devices that have a size and are not parts of logical volumes, disks before their partitions, in the order of their names. */
  all(): BlockDevice[] {
    this.sorted ??= [...this.byName.values()]
      .map((device) => ({ device, key: naturalKey(device.name) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ device }) => device);
    return [...this.sorted];
  }

  get(name: string): BlockDevice | undefined {
    return this.byName.get(name);
  }

  /** Another number after each change of a device; that what is on it has been read is one, too. */
  get version(): number {
    return this.changes;
  }

  /** Calls `listener` each time that somebody has looked for a device in vain. */
  whenMissed(listener: () => void): void {
    this.missed = listener;
  }

  /** Says that a device was looked for in vain. */
  miss(): void {
    this.missed();
  }

  /** True while devices are there that nobody has begun to read: of hundreds, only so many are read at a time. */
  get isBehind(): boolean {
    return this.turns.isQueueing;
  }

  /** Takes in all that sysfs lists now. */
  scan(): void {
    const names = new Set(list(this.sys, "/sys/class/block").map((entry) => entry.name));
    for (const name of this.byName.keys()) if (!names.has(name)) this.forget(name);
    for (const name of names) this.refresh(name);
    this.haveChanged();
  }

  /** Takes in events, in their order. A device is looked at once: sysfs tells what the last of its events means. */
  handle(...events: readonly Uevent[]): void {
    const last = new Map<string, string>();
    for (const { action, devpath, values } of events)
      if (values.get("SUBSYSTEM") === "block") last.set(devpath.slice(devpath.lastIndexOf("/") + 1), action);
    for (const [name, action] of last)
      if (action === "remove") this.forget(name);
      else this.refresh(name);
    if (last.size > 0) this.haveChanged();
  }

  /** Resolves at the next change of any device, or when somebody calls `wake`. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Wakes whoever waits for a change: something other than a device has changed what they wait for. */
  wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }

  protected haveChanged(): void {
    this.changes += 1;
    this.wake();
  }

  private refresh(name: string): void {
    const device = describeDevice(this.sys, name, this.turns, () => this.haveChanged());
    if (device === undefined) return this.forget(name);
    this.byName.set(name, device);
    this.sorted = undefined;
  }

  private forget(name: string): void {
    if (this.byName.delete(name)) this.sorted = undefined;
  }
}

// "vda2" before "vda10".
function naturalKey(name: string): string {
  return name.replace(/\d+/g, (digits) => digits.padStart(8, "0"));
}

function describeDevice(
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
    if (isErrno(error, ...goneCodes)) return "";
    throw error;
  }
}

// The device went away between the event and this look.
const goneCodes = ["ENODEV", "ENOENT", "ENXIO", "EIO"];

function readAttribute(sys: Syscalls, path: string): string | undefined {
  try {
    return readTextIfThere(sys, path)?.trimEnd();
  } catch (error) {
    if (isErrno(error, ...goneCodes)) return undefined;
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
