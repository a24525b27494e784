/** The encrypted volumes that were found, and how far each has come. */

import type { Log } from "../log.ts";
import { describeVolume } from "./luks-command.ts";
import type { LuksHeader } from "./luks-header.ts";
import type { Volume } from "./luks-volumes.ts";

export type VolumeState = "working" | "asked for" | "open" | "failed";

export interface Tracked {
  readonly volume: Volume;
  state: VolumeState;
  /** What it waits for besides: "its key on UUID=…". */
  waitsFor: string | undefined;
  /** Passphrases that opened nothing. */
  wrong: number;
  /** Nobody gave one in time. */
  isOverdue: boolean;
  /** Why it stays closed, a sentence. */
  problem: string | undefined;
  header: LuksHeader | undefined;
}

export class VolumeStates {
  private readonly log: Log;
  private readonly told: () => void;
  private readonly byNode = new Map<string, Tracked>();
  private readonly waiters: (() => void)[] = [];

  /** @param changed is called after each change */
  constructor(log: Log, changed: () => void) {
    this.log = log;
    this.told = changed;
  }

  /** Begins to track a volume; undefined when its device is tracked already. */
  add(volume: Volume): Tracked | undefined {
    if (this.byNode.has(volume.node)) return undefined;
    const one: Tracked = {
      volume,
      state: "working",
      waitsFor: undefined,
      wrong: 0,
      isOverdue: false,
      problem: undefined,
      header: undefined,
    };
    this.byNode.set(volume.node, one);
    return one;
  }

  /** By the names of their devices, in whatever order these came. */
  all(): Tracked[] {
    return [...this.byNode.values()].sort((a, b) =>
      a.volume.device.localeCompare(b.volume.device, "en", { numeric: true }),
    );
  }

  in(state: VolumeState): Tracked[] {
    return this.all().filter((one) => one.state === state);
  }

  remove({ volume }: Tracked): void {
    this.byNode.delete(volume.node);
    this.changed();
  }

  set(one: Tracked, state: VolumeState): void {
    one.state = state;
    this.changed();
  }

  /** Says what it waits for besides, a clause, or that it does no more. */
  wait(one: Tracked, clause: string | undefined): void {
    one.waitsFor = clause;
    this.changed();
  }

  /** Gives a volume up; `why` is a clause that fits behind its name. */
  fail(one: Tracked, why: string): void {
    if (one.state === "failed") return;
    one.problem = `${titleOf(one)} ${why}.`;
    this.log.error(one.problem);
    this.set(one, "failed");
  }

  /**
   * Resolves when nothing more comes of the others in a moment, so that a volume that is late is in the question, or
   * at least tried with its answer. The disk with a key may never come, and is not waited for.
   */
  async settled(): Promise<void> {
    while (this.in("working").some(({ waitsFor }) => waitsFor === undefined))
      await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  private changed(): void {
    for (const waiter of this.waiters.splice(0)) waiter();
    this.told();
  }
}

/** A volume as people know it: "vda2 (luks-…)". */
export function titleOf({ volume }: Pick<Tracked, "volume">): string {
  return describeVolume(volume.device, volume.name);
}
