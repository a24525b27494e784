/** Waiting for devices: with what the machine has and the storage layers do, on the console. */

import type { BlockDevices } from "./blockdevices.ts";
import type { Boot } from "../context.ts";
import { describeDevices } from "../rescue/report.ts";
import type { Layers } from "../storage/layer.ts";
import { waitInTheOpen } from "../wait.ts";

export interface DeviceWait<T> {
  /** What is waited for, behind "waiting for". */
  readonly what: () => string | Promise<string>;
  /** Looks whether the wait is over: a value ends it. */
  readonly look: () => Promise<T | undefined>;
  /** Undefined waits for ever. */
  readonly timeout_ms: number | undefined;
}

/**
 * Waits until `look` has a value; undefined when the deadline came first, which stands still while a layer is at work and
 * while there are disks that nobody has begun to read.
 * Nothing is said while a person is asked something: the question is on the console.
 */
export async function waitForDevices<T>(
  boot: Boot,
  devices: BlockDevices,
  layers: Layers,
  { what, look, timeout_ms }: DeviceWait<T>,
): Promise<T | undefined> {
  return waitInTheOpen(boot, {
    look: async () => {
      const found = await look();
      if (found === undefined) devices.miss();
      return found;
    },
    changed: () => devices.changed(),
    describe: async () =>
      layers.asks() ? undefined : [`waiting for ${await what()}`, ...layers.waitsFor()].join("; "),
    detail: () => describeDevices(devices),
    timeout_ms,
    isHeld: () => layers.isBusy() || devices.isBehind,
  });
}
