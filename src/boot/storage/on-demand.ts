/**
 * The layers of storage, loaded when a disk belongs to one or somebody has named one: most machines have none. They stand
 * behind this as if they were one layer.
 */

import { type Syscalls, exists } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import type { DeviceRef } from "../devices/deviceref.ts";
import { parts } from "../parts.ts";
import type { Lack, Member, StorageContext, StorageLayer } from "./layer.ts";

/** The types of all layers' members. */
export const MEMBER_TYPES: readonly string[] = [
  "linux_raid_member",
  "isw_raid_member",
  "ddf_raid_member",
  "LVM2_member",
  "crypto_LUKS",
];

export class LayersOnDemand implements StorageLayer {
  readonly types = MEMBER_TYPES;
  private readonly context: StorageContext;
  private readonly log: Boot["log"];
  private readonly make: () => Promise<readonly StorageLayer[]>;
  private layers: readonly StorageLayer[] = [];
  private members: readonly Member[] = [];
  private readonly needs: DeviceRef[] = [];
  private state: "not needed" | "loading" | "there" | { readonly failure: string } = "not needed";
  private loading: Promise<void> | undefined;
  private hasStopped = false;

  /** @param make gives the layers, with nothing begun yet; another one in tests */
  constructor(
    boot: Boot,
    context: StorageContext,
    devices: BlockDevices,
    make = async (): Promise<readonly StorageLayer[]> =>
      (await parts.layers()).makeLayers(boot, context, devices),
  ) {
    this.context = context;
    this.log = boot.log;
    this.make = make;
  }

  /** Loads the layers now, when none has come yet that needs them. Never throws: problems() says what fails. */
  load(): Promise<void> {
    this.loading ??= this.loadAll();
    return this.loading;
  }

  update(members: readonly Member[]): void {
    this.members = members;
    if (this.state === "there") this.tell();
    else if (members.length > 0) void this.load();
  }

  need(ref: DeviceRef): void {
    this.needs.push(ref);
    for (const layer of this.layers) layer.need?.(ref);
  }

  waitsFor(): string[] {
    return this.layers.flatMap((layer) => layer.waitsFor());
  }

  isBusy(): boolean {
    return this.state === "loading" || this.layers.some((layer) => layer.isBusy());
  }

  asks(): boolean {
    return this.layers.some((layer) => layer.asks?.() === true);
  }

  hasRefused(): boolean {
    return this.layers.some((layer) => layer.hasRefused?.() === true);
  }

  lacks(): Lack[] {
    return this.layers.flatMap((layer) => layer.lacks());
  }

  problems(): string[] {
    return typeof this.state === "object"
      ? [this.state.failure]
      : this.layers.flatMap((layer) => layer.problems());
  }

  async stop(): Promise<void> {
    this.hasStopped = true;
    await this.loading;
    await Promise.all(this.layers.map((layer) => layer.stop()));
  }

  private async loadAll(): Promise<void> {
    this.state = "loading";
    try {
      const layers = await this.make();
      for (const ref of this.needs) for (const layer of layers) layer.need?.(ref);
      this.layers = layers;
      this.state = "there";
      this.tell();
    } catch (error) {
      this.state = { failure: describe(error) };
      this.log.error(describe(error));
    }
    // Whoever waits may have seen that this was busy.
    this.context.changed();
  }

  private tell(): void {
    if (this.hasStopped) return;
    for (const layer of this.layers)
      layer.update(this.members.filter(({ found }) => layer.types.includes(found.type)));
  }
}

/** True when a layer may be named before any member is seen: it can say then what is missing. */
export function namesLayers({ sys, words }: Boot): boolean {
  return (
    words.some(({ name }) => /^(?:rd\.)?(?:md|lvm|luks)(?:\.|$)/.test(name)) ||
    mayBeThere(sys, "/etc/crypttab")
  );
}

function mayBeThere(sys: Syscalls, path: string): boolean {
  try {
    return exists(sys, path);
  } catch {
    // The layer that reads it says what is wrong with it.
    return true;
  }
}
