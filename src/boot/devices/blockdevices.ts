/** The block devices of the machine, kept up to date by uevents. */

import { type Syscalls, list } from "../../../syscalls/index.ts";
import { type BlockDevice, describeDevice } from "./blockdevice.ts";
import { Turns } from "./turns.ts";
import type { Uevent } from "./uevent.ts";

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
