/**
 * What devices are made of other devices: arrays of md, volume groups of LVM, encrypted volumes of LUKS.
 *
 * A layer is told what its members are whenever that may have changed, and makes what can be made of them by its
 * tool. It never holds up the others: what takes time goes on in the background, and what comes of it appears as a
 * device, with an event of the kernel. src/boot/storage/storage.ts runs them all.
 */

import type { Found } from "../../probe/superblock.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { DeviceRef } from "../devices/deviceref.ts";
import type { Desk } from "../prompt/desk.ts";

/** A device that belongs to a layer by what is written on it. */
export interface Member {
  readonly device: BlockDevice;
  readonly found: Found;
}

export interface StorageLayer {
  /** The types of members, as src/probe calls them: "linux_raid_member". */
  readonly types: readonly string[];
  /**
   * Takes in the members that there are now, all of them each time, and begins what can be begun with them. Never
   * throws and never waits.
   */
  readonly update: (members: readonly Member[]) => void;
  /**
   * What it still waits for, and what it has, as clauses for the console: "volume group vg0 has 1 of 2 physical
   * volumes". A layer whose clauses change without an event of a device calls `StorageContext.changed`.
   */
  readonly waitsFor: () => readonly string[];
  /**
   * True while a device may still come of what it does: a tool runs, a person is asked, or a deadline of its own
   * (a degraded array's) has not passed. The deadline of the root does not count meanwhile. A layer that ceases to be
   * busy calls `StorageContext.changed`.
   */
  readonly isBusy: () => boolean;
  /** Takes in that the boot needs this device too, besides the root. */
  readonly need?: (ref: DeviceRef) => void;
  /** True while a person is asked something on the consoles. */
  readonly asks?: () => boolean;
  /** True when a person's answers were wrong too often, or came not in time. */
  readonly hasRefused?: () => boolean;
  /** What somebody has named, and is not there. */
  readonly lacks: () => readonly Lack[];
  /** Sentences about what has gone wrong, for the report when the root did not appear. */
  readonly problems: () => readonly string[];
  /** Ends what goes on in the background, a question on the console too. Resolves when it has ended. */
  readonly stop: () => Promise<void>;
}

/** A device that the command line or a file of the image names, and that is not there. */
export interface Lack {
  /** "array 3d9a…" */
  readonly what: string;
  /** The system must not be started without it. */
  readonly required: boolean;
}

/** What a layer works with besides the boot itself. */
export interface StorageContext {
  /** Wakes whoever waits for a device, to look again and to tell what is waited for. */
  readonly changed: () => void;
  /** Loads kernel modules by name or alias; those that are not there or are built in are passed over. */
  readonly loadModules: (names: readonly string[]) => Promise<void>;
  /** Where those are asked who come from elsewhere. */
  readonly desk?: Desk;
}

/** What whoever waits for a device needs to know of the layers together (storage.ts). */
export interface Layers {
  /** What they wait for and have, as clauses. */
  readonly waitsFor: () => readonly string[];
  /** True while a device may still come of what they do. */
  readonly isBusy: () => boolean;
  /** True while a person is asked something on the consoles. */
  readonly asks: () => boolean;
  /** Tells them that the boot needs this device too, besides the root. */
  readonly need?: (ref: DeviceRef) => void;
  /** What somebody has named, and is not there. */
  readonly lacks: () => readonly Lack[];
  /** Sentences about what has gone wrong. */
  readonly problems: () => readonly string[];
}
