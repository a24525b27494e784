/**
 * Encrypted volumes of LUKS 1 and 2, opened by cryptsetup(8).
 *
 * A volume is tried with its own tokens (a TPM's key), with its key file, and then by a person's passphrase
 * (luks-ask.ts). Which volumes are opened at all is chosen in luks-volumes.ts.
 */

import { readTextIfThere } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import { type Crypttab, parseCrypttab } from "../../storage/crypttab.ts";
import type { BlockDevice, BlockDevices } from "../blockdevices.ts";
import { runChild } from "../children.ts";
import type { Boot } from "../context.ts";
import { parseDeviceRef } from "../deviceref.ts";
import { findDevice } from "../finddevice.ts";
import { listDmDevices } from "./dm-nodes.ts";
import type { Member, StorageContext, StorageLayer } from "./layer.ts";
import { type MakePrompt, Questions, onTheConsoles } from "./luks-ask.ts";
import { hasCryptsetup } from "./luks-machine.ts";
import type { LuksSettings } from "./luks-settings.ts";
import { type Tracked, VolumeStates, titleOf } from "./luks-states.ts";
import { type Workshop, openByKeyFile, openByToken, prepare } from "./luks-unlock.ts";
import {
  type Container,
  type Volume,
  type Wanted,
  containersForRoot,
  describeWanted,
  isWantedBy,
  makeVolume,
  planWanted,
} from "./luks-volumes.ts";

/** How long the root may be elsewhere before volumes that nobody has named are opened for it. */
const grace_ms = 1000;

export class LuksLayer implements StorageLayer {
  readonly types: readonly string[] = ["crypto_LUKS"];
  private readonly boot: Boot;
  private readonly devices: BlockDevices;
  private readonly settings: LuksSettings;
  private readonly wanted: readonly Wanted[];
  private readonly states: VolumeStates;
  private readonly shop: Workshop;
  private readonly questions: Questions;
  private readonly background = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private members: readonly Member[] = [];
  private absent: readonly Wanted[] = [];
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
    makePrompt: MakePrompt = onTheConsoles,
  ) {
    this.boot = boot;
    this.devices = devices;
    this.settings = settings;
    this.states = new VolumeStates(boot.log, () => context.changed());
    this.shop = { boot, context, devices, states: this.states, signal: this.stopping.signal, run };
    this.questions = new Questions(this.shop, settings.timeout_ms, makePrompt);
    const { entries, notes } = settings.enabled && settings.crypttab ? readCrypttab(boot) : NO_CRYPTTAB;
    const { wanted, complaints } = planWanted(settings, entries);
    this.wanted = wanted;
    for (const complaint of [...notes, ...complaints]) boot.log.warning(complaint);
  }

  update(members: readonly Member[]): void {
    this.members = members;
    if (!this.settings.enabled || this.stopping.signal.aborted) return;
    this.lookAgain = true;
    this.looking ??= this.look();
  }

  waitsFor(): string[] {
    return [
      ...this.states.in("asked for").map((one) => `the passphrase of ${titleOf(one)} is asked for`),
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
        const volumes = await this.choose();
        this.forgetGone();
        if (this.stopping.signal.aborted) return;
        for (const { volume, complaints } of volumes) this.begin(volume, complaints);
      }
    } catch (error) {
      this.boot.log.error(`Encrypted volumes can't be looked for: ${describe(error)}.`);
    } finally {
      this.looking = undefined;
    }
  }

  /** The volumes that are to be opened and can be found. */
  private async choose(): Promise<ReturnType<typeof makeVolume>[]> {
    const containers = this.members.map(({ device, found }) => containerOf(device, found.uuid));
    if (this.wanted.length === 0)
      return (await this.forTheRoot(containers)).map((one) => makeVolume(one, this.settings, undefined));
    const absent: Wanted[] = [];
    const volumes: ReturnType<typeof makeVolume>[] = [];
    for (const wanted of this.wanted) {
      const own = await this.containersOf(wanted, containers);
      if (own.length === 0) absent.push(wanted);
      volumes.push(...own.map((one) => makeVolume(one, this.settings, wanted)));
    }
    this.absent = absent;
    return volumes;
  }

  private async containersOf(
    wanted: Wanted,
    containers: readonly Container[],
  ): Promise<readonly Container[]> {
    if (wanted.device === undefined) return containers.filter((one) => isWantedBy(wanted, one));
    const found = await findDevice(this.boot.sys, this.devices, wanted.device);
    if (found === undefined) return [];
    const { device } = found;
    return [containers.find(({ node }) => node === device.node) ?? containerOf(device, undefined)];
  }

  private async forTheRoot(containers: readonly Container[]): Promise<readonly Container[]> {
    if (containers.length === 0) return [];
    const { root } = this.boot.options;
    const written = root === undefined ? undefined : parseDeviceRef(root);
    const ref = typeof written === "object" ? written : undefined;
    const found = ref === undefined ? undefined : await findDevice(this.boot.sys, this.devices, ref);
    const isMember = this.members.some(({ device }) => device.node === found?.device.node);
    const chosen = containersForRoot(containers, ref, found !== undefined && !isMember);
    const isOwn = isMember || chosen.length === 0;
    return isOwn || this.graceIsOver() ? chosen : [];
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
    if (this.isOpen(volume)) return states.set(one, "open");
    if (obstacle !== undefined) return states.fail(one, `is not opened: ${obstacle}`);
    if (!hasCryptsetup(this.boot.sys))
      return states.fail(one, "can't be opened: cryptsetup is not in the image");
    await prepare(shop, one);
    // Its header is missing, and that was said.
    if (one.state === "failed") return;
    if (await openByToken(shop, one)) return;
    if (await openByKeyFile(shop, one)) return;
    if (!ask) return states.fail(one, "stays closed: nothing opened it, and nobody may be asked");
    await this.questions.askFor(one);
  }

  // Nobody need answer for a disk that was pulled out, or for a volume that somebody else has opened.
  private forgetGone(): void {
    const nodes = new Set(this.devices.all().map(({ node }) => node));
    for (const one of this.states.all())
      if (!nodes.has(one.volume.node)) this.states.remove(one);
      else if (one.state === "asked for" && this.isOpen(one.volume)) this.states.set(one, "open");
    this.questions.withdrawIfUseless();
  }

  // dm-crypt's UUID is "CRYPT-LUKS2-", that of the volume without dashes, and its name.
  private isOpen({ uuid, name }: Volume): boolean {
    const digits = uuid?.replaceAll("-", "").toLowerCase();
    return listDmDevices(this.boot.sys).some(({ name: other, uuid: whole }) => {
      if (!whole.startsWith("CRYPT-LUKS")) return false;
      return digits === undefined ? other === name : whole.split("-")[2] === digits;
    });
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

function containerOf({ name, node }: BlockDevice, uuid: string | undefined): Container {
  return { device: name, node, uuid };
}
