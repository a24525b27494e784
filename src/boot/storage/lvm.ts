/**
 * LVM: activates the logical volumes that the boot needs, by lvm(8), once the physical volumes that they lie on are
 * there. Which these are is read from the metadata; all else is left to lvm.
 */

import { describe } from "../../lib/errors.ts";
import { type BlockDevice, withReader } from "../devices/blockdevice.ts";
import { runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { type DeviceRef, parseDeviceRef } from "../devices/deviceref.ts";
import { dmNames, isLogicalVolume } from "./dm-nodes.ts";
import type { Lack, Member, StorageContext, StorageLayer } from "./layer.ts";
import { activateVolumes } from "./lvm-activate.ts";
import { type PhysicalVolumeContents, readPhysicalVolume } from "./lvm-metadata.ts";
import { type GroupPlan, type Reason, type Wants, planGroups, wantsOf } from "./lvm-plan.ts";
import { describeGroup, lacksOf, problemOfGroup, problemOfMember, problemsOfNames } from "./lvm-report.ts";
import type { LvmSettings } from "./lvm-settings.ts";
import { recordArrays } from "./md-records.ts";

/** How long a disk may take to give its metadata before it counts as one that does not answer. */
const patience_ms = 10_000;

/** Volumes of one group that are activated by one command. */
interface Job {
  readonly plan: GroupPlan;
  readonly volumes: readonly string[];
  readonly reason: Reason;
  readonly late: boolean;
}

export class LvmLayer implements StorageLayer {
  readonly types: readonly string[] = ["LVM2_member"];
  private readonly boot: Boot;
  private readonly context: StorageContext;
  private readonly settings: LvmSettings;
  private readonly run: typeof runChild;
  private readonly needs: DeviceRef[] = [];
  private members: readonly Member[] = [];
  /** The names of device-mapper's devices, as of the last change: there may be a thousand. */
  private active: ReadonlySet<string> = new Set();
  /** What has been read of each member, by the object that stands for what it holds now. */
  private readonly contents = new WeakMap<BlockDevice, PhysicalVolumeContents | "being read">();
  /** For each volume, "VG/LV", the physical volumes and the mode that it was last tried with. */
  private readonly tried = new Map<string, string>();
  private readonly failures = new Map<string, string>();
  /** For each group that waits, by id: its deadline, or that this has passed. */
  private readonly deadlines = new Map<string, Timer | "passed">();
  private working: Promise<void> | undefined;
  /** What lvm does now, and for which group. */
  private now: { readonly clause: string; readonly group: string } | undefined;
  /** What was last told. */
  private told = "";
  private stopped = false;

  constructor(boot: Boot, context: StorageContext, settings: LvmSettings, run: typeof runChild = runChild) {
    this.boot = boot;
    this.context = context;
    this.settings = settings;
    this.run = run;

    const root = boot.options.root === undefined ? undefined : parseDeviceRef(boot.options.root);
    if (typeof root === "object") this.needs.push(root);
  }

  /** Adds a device that the boot needs besides the root: a volume of that name is activated as well. */
  need(ref: DeviceRef): void {
    this.needs.push(ref);
    this.consider();
  }

  update(members: readonly Member[]): void {
    if (this.stopped) return;
    for (const problem of recordArrays(this.boot.sys, members)) this.boot.log.warning(problem);
    this.active = dmNames(this.boot.sys);
    // A volume group on a logical volume is a virtual machine's own (devices/scan_lvs in lvm.conf(5)).
    this.members = members.filter(
      ({ device, found }) => found.damaged === undefined && !isLogicalVolume(this.boot.sys, device),
    );
    if (this.settings.enabled) for (const { device } of this.members) void this.read(device);
    this.consider();
  }

  waitsFor(): string[] {
    const { now } = this;
    const lacking = this.plan().filter((plan) => lacks(plan) && plan.group.id !== now?.group);
    const clauses = lacking.map((plan) => describeGroup(plan, this.settings));
    return now === undefined ? clauses : [now.clause, ...clauses];
  }

  isBusy(): boolean {
    if (this.stopped || !this.settings.enabled) return false;
    const deadlineAhead = [...this.deadlines.values()].some((deadline) => deadline !== "passed");
    return (
      this.working !== undefined ||
      this.members.some(({ device }) => this.contents.get(device) === "being read") ||
      (deadlineAhead && this.settings.mode !== "complete")
    );
  }

  lacks(): Lack[] {
    if (!this.settings.enabled) return [];
    return lacksOf(this.settings, this.plan(), (path) => this.tried.has(path)).map((what) => ({
      what,
      required: false,
    }));
  }

  problems(): string[] {
    if (!this.settings.enabled)
      return this.members.map(({ device }) => `${device.node} is left alone, as rd.lvm=0 says.`);
    const read = this.members.flatMap(
      ({ device }) => problemOfMember(device.node, this.contents.get(device)) ?? [],
    );
    const plan = this.plan();
    return [
      ...read,
      ...plan.filter(lacks).map(problemOfGroup),
      ...problemsOfNames(this.wants(), plan),
      ...this.failures.values(),
    ];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const deadline of this.deadlines.values()) if (deadline !== "passed") clearTimeout(deadline);
    // A volume that is half active would be left suspended.
    await this.working;
  }

  private async read(device: BlockDevice): Promise<void> {
    if (this.contents.has(device)) return;
    this.contents.set(device, "being read");
    // The root's deadline does not count while a disk is being read (isBusy), and this one may never answer.
    const late = setTimeout(() => {
      this.contents.set(device, { group: undefined, problem: "the metadata can't be read: no answer" });
      this.consider();
    }, patience_ms);
    try {
      this.contents.set(device, await withReader(this.boot.sys, device.node, readPhysicalVolume));
    } catch (error) {
      this.contents.set(device, { group: undefined, problem: `it can't be read: ${describe(error)}` });
    } finally {
      clearTimeout(late);
    }
    this.consider();
  }

  private wants(): Wants {
    return wantsOf(this.settings, this.needs);
  }

  private plan(): GroupPlan[] {
    if (!this.settings.enabled) return [];
    const present = this.members.map(({ device, found }) => {
      const contents = this.contents.get(device);
      return { id: found.uuid ?? "", group: typeof contents === "object" ? contents.group : undefined };
    });
    return planGroups(present, this.wants(), this.active);
  }

  /** Begins what can be begun. One lvm runs at a time, as they would wait for each other's locks. */
  private consider(): void {
    if (this.stopped) return;
    const plan = this.plan();
    this.watchDeadlines(plan);
    const job = this.working === undefined ? this.nextJob(plan) : undefined;
    if (job !== undefined)
      this.working = this.activate(job).finally(() => {
        this.working = undefined;
        this.now = undefined;
        this.active = dmNames(this.boot.sys);
        this.consider();
      });
    const words = [...this.waitsFor(), ...this.problems(), this.isBusy()].join("\n");
    if (words === this.told) return;
    this.told = words;
    this.context.changed();
  }

  private watchDeadlines(plan: readonly GroupPlan[]): void {
    const waiting = new Set(plan.filter(lacks).map(({ group }) => group.id));
    for (const id of waiting)
      if (!this.deadlines.has(id))
        this.deadlines.set(
          id,
          setTimeout(() => {
            this.deadlines.set(id, "passed");
            this.consider();
          }, this.settings.timeout_ms),
        );
    for (const [id, deadline] of this.deadlines) {
      if (waiting.has(id) || deadline === "passed") continue;
      clearTimeout(deadline);
      this.deadlines.delete(id);
    }
  }

  private nextJob(plans: readonly GroupPlan[]): Job | undefined {
    for (const plan of plans) {
      const late = this.settings.mode !== "complete" && this.deadlines.get(plan.group.id) === "passed";
      const ripe = plan.wanted.filter(
        ({ volume, ready }) =>
          (late || ready) && this.tried.get(pathOf(plan, volume.name)) !== this.circumstances(plan, late),
      );
      const reason = ripe[0]?.reason;
      if (reason === undefined) continue;
      const volumes = ripe.filter((one) => one.reason === reason).map(({ volume }) => volume.name);
      return { plan, volumes, reason, late };
    }
    return undefined;
  }

  // What has to change before a volume that could not be activated is tried again.
  private circumstances({ missing }: GroupPlan, late: boolean): string {
    const nodes = this.members.map(({ device }) => device.node);
    return [late, ...missing.map(({ id }) => id), ...nodes].join(" ");
  }

  private async activate(job: Job): Promise<void> {
    const { plan, volumes, late } = job;
    const paths = volumes.map((volume) => pathOf(plan, volume));
    for (const path of paths) this.tried.set(path, this.circumstances(plan, late));
    const title = paths.length <= 3 ? paths.join(", ") : `${paths.length} volumes of ${plan.group.name}`;
    this.now = { clause: `lvm activates ${title}`, group: plan.group.id };
    const mode = late ? this.settings.mode : "complete";
    const nodes = this.members.map(({ device }) => device.node);
    const failure = await activateVolumes(
      this.boot,
      this.context,
      { ...job, paths, title, mode, nodes },
      this.run,
    );
    for (const path of paths) this.failures.delete(path);
    if (failure !== undefined) this.failures.set(paths[0] ?? "", failure);
  }
}

// A wanted volume can't be activated as it is.
function lacks({ wanted }: GroupPlan): boolean {
  return wanted.some(({ ready }) => !ready);
}

function pathOf({ group }: GroupPlan, volume: string): string {
  return `${group.name}/${volume}`;
}
