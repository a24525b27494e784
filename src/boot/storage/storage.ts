/** Runs the storage layers: after each change of the devices they are told what their members are. */

import type { BlockDevices } from "../devices/blockdevices.ts";
import type { DeviceRef } from "../devices/deviceref.ts";
import type { Lack, Member, StorageLayer } from "./layer.ts";

export class Storage {
  private readonly devices: BlockDevices;
  private readonly layers: StorageLayer;
  private hasBegun = false;
  private running = true;

  /** @param layers all of them behind one (on-demand.ts) */
  constructor(devices: BlockDevices, layers: StorageLayer) {
    this.devices = devices;
    this.layers = layers;
  }

  /** Begins to look, and goes on with every change of the devices until `stop`; further calls do nothing. Never throws. */
  async run(): Promise<void> {
    if (this.hasBegun) return;
    this.hasBegun = true;
    let seen: number | undefined;
    while (this.running) {
      // Asked for before the look: what changes during it is not missed.
      const changed = this.devices.changed();
      const { version } = this.devices;
      // What wakes others besides is the layers' own doing.
      const took_ms = version === seen ? 0 : await this.look();
      seen = version;
      // Of a thousand devices each change is an event: as long as looks take, the others have their turn.
      if (took_ms > LONG_LOOK_MS && this.running) await Bun.sleep(took_ms);
      await changed;
    }
  }

  /** What the layers wait for and have, as clauses. */
  waitsFor(): readonly string[] {
    return this.layers.waitsFor();
  }

  /** True while a device may still come of what a layer does. */
  isBusy(): boolean {
    return this.layers.isBusy();
  }

  /** True while a person is asked something on the consoles. */
  asks(): boolean {
    return this.layers.asks?.() === true;
  }

  /** True when a person's answers were wrong too often, or came not in time. */
  hasRefused(): boolean {
    return this.layers.hasRefused?.() === true;
  }

  /** Tells the layers that the boot needs this device too, besides the root, and begins to look if nothing needed it so far. */
  need(ref: DeviceRef): void {
    this.layers.need?.(ref);
    void this.run();
  }

  /** What somebody has named, and is not there. */
  lacks(): readonly Lack[] {
    return this.layers.lacks();
  }

  /** Sentences about what has gone wrong. */
  problems(): readonly string[] {
    return this.layers.problems();
  }

  /** Ends what the layers do in the background. */
  async stop(): Promise<void> {
    this.running = false;
    await this.layers.stop();
  }

  // A disk that does not answer holds up no other: what it holds is a change of the devices once it is read.
  // Resolves with how long the layers have kept all else waiting.
  private async look(): Promise<number> {
    const all = this.devices.all();
    const answered = all.map((device) => Promise.race([device.contents(), Bun.sleep(PATIENCE_MS)]));
    const contents = await Promise.all(answered);
    if (!this.running) return 0;
    const began = performance.now();
    const members = all.flatMap((device, at): Member[] => {
      const found = contents[at]?.found;
      return found === undefined ? [] : [{ device, found }];
    });
    const wasBusy = this.isBusy();
    this.layers.update(members.filter(({ found }) => this.layers.types.includes(found.type)));
    // Whoever waits may have looked at the same change before.
    if (wasBusy && !this.isBusy()) this.devices.wake();
    return performance.now() - began;
  }
}

const PATIENCE_MS = 200;
const LONG_LOOK_MS = 100;
