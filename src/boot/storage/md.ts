/**
 * Arrays of md (RAID), put together by mdadm(8).
 *
 * Our own look at the superblocks (md-arrays.ts) tells which members there are, so mdadm runs once for an array, with
 * all members, when those are here that its newest superblock says to work; md-arrays.ts says what can be known of
 * stale ones. mdadm judges again, and leaves out what is stale. It is never told to force anything.
 *
 * If members are missing, they are waited for, rd.md.timeout= long from the first one's appearance. Then the array is
 * started degraded (--run), if its level allows that. Members that come later are told of, and left to the system.
 */

import { exists } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import { colonUuid } from "../../lib/uuid.ts";
import { runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import type { Lack, Member, StorageContext, StorageLayer } from "./layer.ts";
import { type MdArray, arraysOf, judge } from "./md-arrays.ts";
import { type MdConf, readMdConf } from "./md-conf.ts";
import { readMdConfFiles } from "./md-conf-files.ts";
import { chooseName } from "./md-name.ts";
import type { MdSettings } from "./md-settings.ts";
import { type Run, assemble, isRunning, modulesFor } from "./md-tool.ts";
import { type Watched, mayRunDegraded, watch } from "./md-watched.ts";
import {
  CONTAINERS,
  absentWords,
  containerWords,
  damagedWords,
  degradedWarning,
  describeArray,
  describeMembers,
  failureWords,
  lack,
  lateWords,
  leftOutWarnings,
  namesOf,
  roundUp_s,
  switchedOffWords,
  unwantedWords,
} from "./md-words.ts";

export class MdLayer implements StorageLayer {
  readonly types: readonly string[] = ["linux_raid_member", ...Object.keys(CONTAINERS)];
  private readonly boot: Boot;
  private readonly context: StorageContext;
  private readonly settings: MdSettings;
  private readonly run: Run;
  private readonly watched = new Map<string, Watched>();
  private readonly told = new Set<string>();
  private members: readonly Member[] = [];
  /** Those that are there, and that neither the command line nor mdadm.conf wants. */
  private unwanted: readonly MdArray[] = [];
  private conf: MdConf | undefined;
  private stopped = false;
  /** One mdadm runs at a time: two would choose the same number for their arrays. */
  private queue: Promise<void> = Promise.resolve();

  /** @param run runs mdadm; another one in tests */
  constructor(boot: Boot, context: StorageContext, settings: MdSettings, run: Run = runChild) {
    this.boot = boot;
    this.context = context;
    this.settings = settings;
    this.run = run;
  }

  update(members: readonly Member[]): void {
    this.members = members;
    if (this.stopped || !this.settings.enabled) return;
    for (const sentence of containerWords(members)) this.tellOnce("info", sentence);
    const all = arraysOf(members);
    const arrays = all.filter((array) => this.isWanted(array));
    this.unwanted = all.filter((array) => !arrays.includes(array));
    for (const [uuid, { state, timer }] of this.watched) {
      if (state !== "waiting" || arrays.some((array) => array.uuid === uuid)) continue;
      clearTimeout(timer);
      this.watched.delete(uuid);
    }
    for (const array of arrays) this.meet(array);
  }

  waitsFor(): string[] {
    const partial = this.waiting().map((one) => {
      const words = `${describeArray(one.array)} has ${describeMembers(one.array)}`;
      if (one.state === "starting") return `${words} and is being started`;
      if (one.failure !== undefined) return `${words} and could not be started`;
      return mayRunDegraded(one)
        ? `${words}; it is started degraded in ${roundUp_s(one.until_ms - performance.now())} s`
        : words;
    });
    return [...partial, ...this.absent().map(absentWords)];
  }

  isBusy(): boolean {
    return this.waiting().some(
      (one) => one.state === "starting" || (mayRunDegraded(one) && !this.isOptional(one.array.uuid)),
    );
  }

  lacks(): Lack[] {
    const { enabled, uuids } = this.settings;
    const open = uuids.filter(
      (uuid) => !this.isOptional(uuid) && this.watched.get(uuid)?.state !== "started",
    );
    return enabled ? open.map((uuid) => ({ what: `array ${colonUuid(uuid)}`, required: true })) : [];
  }

  problems(): string[] {
    const { enabled, uuids } = this.settings;
    if (!enabled) return switchedOffWords(this.members);
    return [
      ...this.waiting()
        .filter(({ array }) => !this.isOptional(array.uuid))
        .map(({ array, failure }) => failureWords(array, failure ?? lack(array))),
      ...this.absent().map((uuid) => `${absentWords(uuid)}.`),
      ...this.unwanted.map((array) => unwantedWords(array, uuids.length > 0)),
      ...this.members.flatMap(damagedWords),
      ...containerWords(this.members),
    ];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const { timer } of this.watched.values()) clearTimeout(timer);
    await this.queue;
    // Nothing has waited for them, so nobody has heard of them yet.
    for (const { array, failure } of this.waiting())
      if (this.isOptional(array.uuid)) this.tellOptional(array, failure ?? lack(array));
  }

  private waiting(): Watched[] {
    return [...this.watched.values()].filter(({ state }) => state !== "started");
  }

  /** The UUIDs that the command line names, and of which there is no member. */
  private absent(): string[] {
    if (!this.settings.enabled) return [];
    return this.settings.uuids.filter((uuid) => !this.watched.has(uuid) && !this.isOptional(uuid));
  }

  private isOptional(uuid: string): boolean {
    return this.settings.optional.includes(uuid);
  }

  // Whom the command line names, or else whom mdadm.conf allows.
  private isWanted(array: MdArray): boolean {
    if (this.settings.uuids.length === 0) return this.configuration().allows(array);
    return this.settings.uuids.includes(array.uuid) || this.isOptional(array.uuid);
  }

  private configuration(): MdConf {
    return (this.conf ??= readMdConf(this.settings.conf ? readMdConfFiles(this.boot) : []));
  }

  private meet(array: MdArray): void {
    const one = this.watched.get(array.uuid) ?? this.watch(array);
    one.array = array;
    if (one.state === "started") this.tellLate(one);
    else this.consider(one);
  }

  private watch(array: MdArray): Watched {
    const one = watch(array, this.settings.timeout_ms, () => this.giveUp(one));
    this.watched.set(array.uuid, one);
    return one;
  }

  private giveUp(one: Watched): void {
    one.overdue = true;
    this.consider(one);
    if (one.state === "waiting") this.tellFailure(one, lack(one.array));
    this.context.changed();
  }

  private consider(one: Watched): void {
    const verdict = judge(one.array);
    if (one.state !== "waiting" || verdict === "too few" || (verdict === "wait" && !one.overdue)) return;
    const wanted = `${one.overdue} ${one.array.devices.map(({ name }) => name).join(" ")}`;
    if (one.tried === wanted) return;
    one.tried = wanted;
    one.state = "starting";
    this.queue = this.queue.then(() => this.start(one));
  }

  // Never rejects: what is behind it in the queue would not run.
  private async start(one: Watched): Promise<void> {
    if (this.stopped) return;
    const { array } = one;
    for (const { name } of array.devices) one.met.add(name);
    one.failure = await this.bringUp(one, array).catch((error: unknown) => describe(error));
    one.state = one.failure === undefined ? "started" : "waiting";
    if (one.failure === undefined) clearTimeout(one.timer);
    else this.tellFailure(one, one.failure);
    this.context.changed();
    this.update(this.members);
  }

  /** A clause about why the array does not run; undefined when it does. */
  private async bringUp(one: Watched, array: MdArray): Promise<string | undefined> {
    const { sys, log } = this.boot;
    if (await isRunning(this.boot, this.run, array)) return undefined;
    for (const warning of leftOutWarnings(array)) log.warning(warning);
    await this.context.loadModules(modulesFor(array.level));
    const device = chooseName(array, this.configuration(), (path) => exists(sys, path));
    const failure = await assemble(this.boot, this.run, array, device, one.overdue);
    if (failure !== undefined) return failure;
    const waited_ms = judge(array) === "wait" ? (this.settings.timeout_ms ?? 0) : 0;
    if (array.slots < array.raidDisks) log.warning(degradedWarning(array, device, waited_ms));
    else log.info(`${describeArray(array)} is started as ${device}, of ${namesOf(array.devices)}`);
    return undefined;
  }

  private tellLate({ array, met }: Watched): void {
    const late = array.devices.filter(({ name }) => !met.has(name));
    for (const { name } of late) met.add(name);
    if (late.length > 0) this.boot.log.warning(lateWords(array, late));
  }

  private tellFailure({ array }: Watched, why: string): void {
    if (this.isOptional(array.uuid)) this.tellOptional(array, why);
    else this.tellOnce("warning", failureWords(array, why));
  }

  private tellOptional(array: MdArray, why: string): void {
    this.tellOnce("notice", `${failureWords(array, why)} It is optional, and nothing waits for it.`);
  }

  private tellOnce(level: "info" | "notice" | "warning", sentence: string): void {
    if (this.told.has(sentence)) return;
    this.told.add(sentence);
    this.boot.log[level](sentence);
  }
}
