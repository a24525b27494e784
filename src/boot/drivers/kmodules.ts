/** The kernel modules of the boot: loaded as devices ask for them, with a word about those that fail. */

import { type Syscalls, list, readFile, readTextIfThere } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import { type LoadReport, Modules } from "../../modules/loader.ts";
import type { Word } from "../cmdline/cmdline.ts";
import type { Log } from "../log.ts";
import { isInRoot } from "../mount/resolve.ts";
import { type Timing, noTiming } from "../timing/timing.ts";

export class KernelModules {
  private readonly modules: Modules;
  private readonly log: Log;
  private readonly pending = new Set<Promise<void>>();
  private readonly later: string[] = [];
  /** Modules that are in the image, were asked for, and are forbidden, with the reason. */
  private readonly forbidden = new Map<string, string>();

  constructor(sys: Syscalls, log: Log, words: readonly Word[], timing: Timing = noTiming) {
    this.log = log;
    const host = {
      sys,
      readFile: (path: string) => readFile(sys, path),
      readTextIfThere: (path: string) => readTextIfThere(sys, path),
      list: (path: string) => list(sys, path),
      ...(timing.isOn ? { watch: (name: string) => timing.queue("module", text(name)) } : {}),
    };
    this.modules = new Modules(host, sys.uname().release, words);
    for (const note of this.modules.index.config.notes) log.warning(note);
  }

  /** False only when the image can hold no module for modaliases that begin with `scheme`. */
  mayServe(scheme: string): boolean {
    return this.modules.index.mayResolve(scheme);
  }

  /** Begins to load what serves these devices, or puts it off; nothing waits for it but `settled`. */
  request(modaliases: readonly string[]): void {
    const kinds = { later: [] as string[], idle: [] as string[], soon: [] as string[] };
    for (const modalias of modaliases)
      kinds[LATER.test(modalias) ? "later" : MAY_BE_LEFT.test(modalias) ? "idle" : "soon"].push(modalias);
    this.later.push(...kinds.later);
    for (const urgency of ["soon", "idle"] as const)
      if (kinds[urgency].length > 0) this.track(this.modules.loadForModalias(kinds[urgency], urgency));
  }

  /** Loads the modules of these names or aliases. Never rejects: what fails is logged. */
  async load(names: readonly string[]): Promise<void> {
    await this.track(this.modules.load(names));
  }

  /** Loads the module of a filesystem type, if it is one. */
  async loadFilesystem(type: string): Promise<void> {
    await this.load([`fs-${type}`]);
  }

  /** Begins no more drivers of disks and networks until `goOn`, unless somebody waits for one. */
  holdBack(): void {
    this.modules.holdBack();
  }

  /** Loads what was held back. */
  goOn(): void {
    this.modules.goOn();
  }

  /** What was held back, and is not begun, is left to the real system. */
  leaveRest(): void {
    this.modules.dropIdle();
  }

  /** Begins to load what was put off as no disk needs it. */
  requestLater(): void {
    const modaliases = this.later.splice(0);
    if (modaliases.length > 0) this.track(this.modules.loadForModalias(modaliases, "soon"));
  }

  /** True when nothing is being loaded. */
  isSettled(): boolean {
    return this.pending.size === 0;
  }

  /** Resolves when all that was asked for is loaded or has failed. */
  async settled(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
  }

  /** Modaliases of devices that no module of the image serves. */
  missing(): string[] {
    return this.modules.missing();
  }

  /** Sentences about modules that devices asked for, and that the command line or modprobe.d forbids. */
  refused(): string[] {
    return [...this.forbidden].map(([name, why]) => `The module ${text(name)} is not loaded: ${why}.`);
  }

  /** Modules to load before all others: those that make loading itself faster, then rd.driver.pre= (dracut.cmdline(7)). */
  get first(): readonly string[] {
    const { index } = this.modules;
    return [...accelerators.filter((name) => index.module(name) !== undefined), ...index.config.first];
  }
  /** rd.driver.post= */
  get last(): readonly string[] {
    return this.modules.index.config.last;
  }

  private track(report: Promise<LoadReport>): Promise<void> {
    const done: Promise<void> = report
      .then(
        (result) => this.tell(result),
        (error: unknown) => this.log.error(`Modules could not be loaded: ${describe(error)}.`),
      )
      .finally(() => this.pending.delete(done));
    this.pending.add(done);
    return done;
  }

  private tell({ loaded, failures, refused, missing, notes }: LoadReport): void {
    if (loaded.length > 0) this.log.debug(`loaded ${loaded.map(text).join(", ")}`);
    for (const { code, sentence } of failures) {
      // A driver that finds none of its devices is no fault.
      if (code === "ENODEV") this.log.debug(sentence);
      else this.log.warning(sentence);
    }
    for (const { name, why } of refused) {
      this.log.debug(`module ${text(name)} is not loaded: ${why}`);
      const { config } = this.modules.index;
      if (config.blacklist.has(name))
        this.forbidden.set(name, "it is blacklisted, on the command line or in modprobe.d");
      else if (config.never.has(name)) this.forbidden.set(name, why);
    }
    for (const name of loaded) this.forbidden.delete(name);
    for (const { name, wantedBy } of missing)
      if (wantedBy !== undefined)
        this.log.debug(`${text(name)}, which ${text(wantedBy)} would like, is not in the image`);
    for (const note of notes) this.log.warning(note);
  }
}

/** True when the root holds modules for the running kernel. */
export function hasModules(sys: Syscalls, root: string): boolean {
  const { release } = sys.uname();
  return ["/lib", "/usr/lib"].some((lib) => isInRoot(sys, root, `${lib}/modules/${release}/modules.dep`));
}

/**
 * Features of processors, whose ciphers are loaded by name when a volume needs them, and what makes mice and joysticks of
 * input devices. A port of serio may have the keyboard on it at which a passphrase is typed.
 */
const LATER = /^(?:cpu|input):/;

/** Controllers of disks and networks on PCI, and what lies behind those of SCSI. */
const MAY_BE_LEFT = /^(?:pci:.*bc0[12]|scsi:|virtio:d0000000[128]v)/;

/**
 * The kernel hashes each signed module that it loads. With the processor's own instructions that takes a
 * third less time in all for a disk's drivers, which pays for loading this first.
 */
const accelerators: readonly string[] = ["sha256_ssse3"];
