/**
 * Encrypted volumes of LUKS 1 and 2, opened by cryptsetup(8).
 *
 * A volume is tried with its own tokens (a TPM's key), with its key file, and then by a person's passphrase
 * (luks-ask.ts). Which volumes are opened at all is chosen in luks-volumes.ts.
 */

import { readTextIfThere } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import { type Crypttab, parseCrypttab } from "../../storage/crypttab.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import { runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { type DeviceRef, parseDeviceRef } from "../devices/deviceref.ts";
import type { Lack, Member, StorageContext, StorageLayer } from "./layer.ts";
import { type MakePrompt, Questions, askingAt } from "./luks-ask.ts";
import { pause } from "./luks-await.ts";
import { chooseVolumes } from "./luks-choice.ts";
import { hasCryptsetup } from "./luks-machine.ts";
import type { LuksSettings } from "./luks-settings.ts";
import { type Tracked, VolumeStates, titleOf } from "./luks-states.ts";
import { type Workshop, isFoundOpen, openByKeyFile, openByToken, prepare } from "./luks-unlock.ts";
import { type Volume, type Wanted, describeWanted, planWanted } from "./luks-volumes.ts";

/** How long the root may be elsewhere before volumes that nobody has named, or that may fail, are opened for it. */
const grace_ms = 1000;

export class LuksLayer implements StorageLayer {
  readonly types: readonly string[] = ["crypto_LUKS"];
  private readonly boot: Boot;
  private readonly context: StorageContext;
  private readonly devices: BlockDevices;
  private readonly settings: LuksSettings;
  private readonly wanted: readonly Wanted[];
  private readonly states: VolumeStates;
  private readonly shop: Workshop;
  private readonly questions: Questions;
  private readonly background = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  /** What the boot needs: the root first, undefined when none is named. */
  private readonly needs: (DeviceRef | undefined)[];
  private members: readonly Member[] = [];
  private absent: readonly Wanted[];
  private looking: Promise<void> | undefined;
  private lookAgain = false;
  private grace: "not begun" | ReturnType<typeof setTimeout> | "over" = "not begun";

  /** @param run and `makePrompt` stand for what a test has instead of cryptsetup and a person */
  constructor(
    boot: Boot,
    context: StorageContext,
    settings: LuksSettings,
    devices: BlockDevices,
    run: typeof runChild = runChild,
    makePrompt: MakePrompt = askingAt(context.desk),
  ) {
    this.boot = boot;
    this.context = context;
    this.devices = devices;
    this.settings = settings;
    const { root } = boot.options;
    const ref = root === undefined ? undefined : parseDeviceRef(root);
    this.needs = [typeof ref === "object" ? ref : undefined];
    this.states = new VolumeStates(boot.log, () => context.changed());
    this.shop = { boot, context, devices, states: this.states, signal: this.stopping.signal, run };
    this.questions = new Questions(this.shop, settings.timeout_ms, makePrompt);
    const { entries, notes } = settings.enabled && settings.crypttab ? readCrypttab(boot) : NO_CRYPTTAB;
    const { wanted, complaints } = planWanted(settings, entries);
    this.wanted = wanted;
    this.absent = wanted;
    for (const complaint of [...notes, ...complaints]) boot.log.warning(complaint);
  }

  update(members: readonly Member[]): void {
    this.members = members;
    if (!this.settings.enabled || this.stopping.signal.aborted) return;
    this.lookAgain = true;
    this.looking ??= this.look();
  }

  /** Takes in that the boot needs this device too: a volume that nobody has named may hold it. */
  need(ref: DeviceRef): void {
    this.needs.push(ref);
    if (this.grace === "over") this.grace = "not begun";
    this.update(this.members);
  }

  waitsFor(): string[] {
    const { rests_s } = this.questions;
    const asked = rests_s > 0 ? `may be given again in ${rests_s} s` : "is asked for";
    return [
      ...this.states.in("asked for").map((one) => `the passphrase of ${titleOf(one)} ${asked}`),
      ...this.states
        .in("working")
        .map(
          (one) =>
            `${titleOf(one)} ${one.waitsFor === undefined ? "is being opened" : `needs ${one.waitsFor}`}`,
        ),
      ...this.absent.map((wanted) => `${describeWanted(wanted)} is not there`),
    ];
  }

  isBusy(): boolean {
    const open = this.states.in("asked for").length + this.states.in("working").length;
    const looks = this.looking !== undefined && this.members.length > 0;
    return open > 0 || looks || typeof this.grace === "object";
  }

  asks(): boolean {
    return this.questions.isOpen;
  }

  hasRefused(): boolean {
    return this.states.in("failed").some(({ wrong, isOverdue }) => wrong > 0 || isOverdue);
  }

  lacks(): Lack[] {
    if (!this.settings.enabled || this.wanted.length === 0) return [];
    const absent = this.absent.filter(({ mayFail }) => !mayFail);
    const coming = [...this.states.in("working"), ...this.states.in("asked for")];
    const needed = coming.filter(({ volume }) => !volume.options.mayFail);
    const all = [...absent.map(describeWanted), ...needed.map(titleOf)];
    return all.map((what) => ({ what, required: false }));
  }

  problems(): string[] {
    if (!this.settings.enabled && this.members.length > 0)
      return ["rd.luks=0 keeps encrypted volumes closed."];
    return this.states.in("failed").flatMap(({ problem }) => problem ?? []);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    if (typeof this.grace === "object") clearTimeout(this.grace);
    this.grace = "over";
    while (this.looking !== undefined || this.background.size > 0)
      await Promise.all([this.looking, ...this.background]);
  }

  private async look(): Promise<void> {
    try {
      while (this.lookAgain && !this.stopping.signal.aborted) {
        this.lookAgain = false;
        const { boot, devices, settings, members, wanted, needs } = this;
        const graceIsOver = (): boolean => this.graceIsOver();
        const choice = { boot, devices, settings, members, wanted, needs, graceIsOver };
        const { volumes, absent } = await chooseVolumes(choice);
        this.absent = absent;
        this.forgetGone();
        if (this.stopping.signal.aborted) return;
        for (const { volume, complaints } of volumes) this.begin(volume, complaints);
      }
    } catch (error) {
      this.boot.log.error(`Encrypted volumes can't be looked for: ${describe(error)}.`);
    } finally {
      this.looking = undefined;
      if (this.members.length > 0) this.context.changed();
    }
  }

  // A disk that comes a moment later may hold the root in the clear.
  private graceIsOver(): boolean {
    if (this.grace === "not begun")
      this.grace = setTimeout(() => {
        this.grace = "over";
        this.update(this.members);
      }, grace_ms);
    return this.grace === "over";
  }

  private begin(volume: Volume, complaints: readonly string[]): void {
    const one = this.states.add(volume);
    if (one === undefined) return;
    if (volume.options.ask && hasCryptsetup(this.boot.sys)) this.context.desk?.expect();
    for (const complaint of complaints) this.boot.log.warning(complaint);
    const work = this.open(one)
      .catch((error: unknown) => this.states.fail(one, `can't be opened: ${describe(error)}`))
      .finally(() => this.background.delete(work));
    this.background.add(work);
  }

  /** Opens the volume without a person if that can be, and has one asked otherwise. */
  private async open(one: Tracked): Promise<void> {
    const { shop, states } = this;
    const { volume } = one;
    const { ask, obstacle } = volume.options;
    if (isFoundOpen(shop, one)) return;
    if (obstacle !== undefined) return states.fail(one, `is not opened: ${obstacle}`);
    if (!hasCryptsetup(this.boot.sys))
      return states.fail(one, "can't be opened: cryptsetup is not in the image");
    await prepare(shop, one);
    // Its header is missing, and that was said.
    if (one.state === "failed") return;
    // A path may have become another disk's: nobody is asked for what can't be opened.
    if (one.header === undefined && volume.uuid === undefined) {
      const place = volume.header === undefined ? "on it" : `in ${text(volume.header.path)}`;
      return states.fail(one, `is not opened: there is no LUKS header ${place}`);
    }
    if (await openByToken(shop, one)) return;
    if (await openByKeyFile(shop, one)) return;
    // Another disk has a copy of the volume, or somebody was faster.
    if (isFoundOpen(shop, one)) return;
    if (!ask) return states.fail(one, "stays closed: nothing opened it, and nobody may be asked");
    // Nobody is asked for what the boot does without; the real system may ask.
    if (volume.options.mayFail) await pause(grace_ms, this.stopping.signal);
    await this.questions.askFor(one);
  }

  // Nobody need answer for a disk that was pulled out, or for a volume that somebody else has opened.
  private forgetGone(): void {
    const nodes = new Set(this.devices.all().map(({ node }) => node));
    for (const one of this.states.all())
      if (!nodes.has(one.volume.node)) this.states.remove(one);
      else if (one.state === "asked for") isFoundOpen(this.shop, one);
    this.questions.withdrawIfUseless();
  }
}

const NO_CRYPTTAB: Crypttab = { entries: [], notes: [] };

function readCrypttab({ sys }: Boot): Crypttab {
  try {
    return parseCrypttab(readTextIfThere(sys, "/etc/crypttab") ?? "");
  } catch (error) {
    return { entries: [], notes: [`/etc/crypttab can't be read: ${describe(error)}.`] };
  }
}
