/**
 * Loading kernel modules: each at most once, side by side where their dependencies allow it, and
 * never throwing for a bad one.
 */

import type { DirEntry, Syscalls } from "../../syscalls/types.ts";
import { MODULE_INIT_COMPRESSED_FILE, O_CLOEXEC, O_RDONLY } from "../../syscalls/constants.ts";
import { isErrno, SysError } from "../../syscalls/error.ts";
import { describe } from "../lib/errors.ts";
import { text } from "../lib/bytes.ts";
import { readModprobeDirectories } from "./directories.ts";
import { compressionOfName, decompress } from "./decompress.ts";
import { refusal } from "./refusal.ts";
import { ModuleIndex } from "./index.ts";
import type { ParameterWord } from "./config.ts";
import { planModules, type Missing, type Plan, type Refused, type Step } from "./plan.ts";
import { Queue, type Urgency } from "./queue.ts";

/** What loading needs of the machine. Paths and texts are byte strings. */
export interface ModuleHost {
  readonly sys: Pick<Syscalls, "open" | "close"> & {
    readonly slow: Pick<Syscalls["slow"], "finitModule" | "initModule">;
  };
  /** The bytes of a file; throws SysError. */
  readonly readFile: (path: string) => Uint8Array;
  /** The text of a file, undefined where there is none. */
  readonly readTextIfThere: (path: string) => string | undefined;
  /** The names in a directory; throws SysError. */
  readonly list: (path: string) => DirEntry[];
  /** Is told that a module is asked for, when its turn comes, and when it is loaded or why it is not. */
  readonly watch?: (name: string) => { readonly starts: () => void; readonly ends: (note?: string) => void };
}

/** A module that could not be loaded. */
export interface Failure {
  readonly name: string;
  /** The path of its file. */
  readonly file: string;
  /** The name of the kernel's error ("ENODEV"), undefined when another reason kept it from being loaded. */
  readonly code: string | undefined;
  /** What failed, on what and why, as a sentence. */
  readonly sentence: string;
}

/** What became of a call to `load`. */
export interface LoadReport {
  /** The modules that were loaded now, by this call or by another at the same time. */
  readonly loaded: readonly string[];
  readonly failures: readonly Failure[];
  readonly missing: readonly Missing[];
  readonly refused: readonly Refused[];
  /** Sentences about dependencies that go round in a circle, and about lists of modules that can't be read. */
  readonly notes: readonly string[];
}

/** What became of one module. */
type Outcome = "loaded" | "dropped" | Failure;

/** For the record of how long it took: nothing when the module is loaded. */
function describeOutcome(outcome: Outcome): string | undefined {
  if (outcome === "loaded") return undefined;
  return outcome === "dropped" ? "left to the real system" : (outcome.code ?? "not loaded");
}

/** The modules of the running kernel. */
export class Modules {
  /** Where the modules lie, undefined where there are none: /lib/modules/RELEASE. */
  readonly directory: string | undefined;
  readonly index: ModuleIndex;
  private readonly host: ModuleHost;
  /** The modules that are loaded, by name with _. */
  private readonly loaded = new Set<string>();
  private readonly loading = new Map<string, Promise<Outcome>>();
  private readonly unmatched = new Set<string>();
  private readonly queue: Queue;
  private readonly unreadable: string[] = [];
  private kernelUnpacks: string | undefined;

  /** `release` is that of uname(2); `words` are the kernel's command line; at most `atOnce` modules load at a time. */
  constructor(host: ModuleHost, release: string, words: readonly ParameterWord[], atOnce = 4) {
    this.host = host;
    this.queue = new Queue(atOnce);
    this.directory = [`/lib/modules/${release}`, `/usr/lib/modules/${release}`].find((directory) =>
      isDirectory(host, directory),
    );
    this.index = new ModuleIndex({
      read: (name) => (this.directory ? this.readText(`${this.directory}/${name}`) : undefined),
      config: readModprobeDirectories({ list: host.list, readTextIfThere: (path) => this.readText(path) }),
      words,
    });
  }

  /**
   * Loads what these names (modules, aliases, modaliases) stand for, with all they need, before all that only devices
   * ask for. Never rejects.
   */
  async load(names: Iterable<string>): Promise<LoadReport> {
    return this.execute(planModules(this.index, names, this.loaded), "now");
  }

  /** Loads what serves these devices, and remembers the modaliases for which there is nothing. */
  async loadForModalias(modaliases: readonly string[], urgency: Urgency): Promise<LoadReport> {
    const served: string[] = [];
    for (const modalias of modaliases) {
      if (this.index.resolve(modalias).modules.length > 0) served.push(modalias);
      else this.unmatched.add(modalias);
    }
    return this.execute(planModules(this.index, served, this.loaded), urgency);
  }

  /** The modaliases that matched no module, of devices that can have to do with disks. */
  missing(): string[] {
    return [...this.unmatched].filter(
      (modalias) => LEADS_TO_DISKS.test(modalias) && !this.index.isKnown(modalias),
    );
  }

  /** From now on nothing is begun that was asked for as idle. */
  holdBack(): void {
    this.queue.hold();
  }

  /** What was held back is loaded after all. */
  goOn(): void {
    this.queue.goOn();
  }

  /** What was asked for as idle and is not begun will not be loaded, which is no failure. */
  dropIdle(): void {
    this.queue.dropIdle();
  }

  private async execute(plan: Plan, urgency: Urgency): Promise<LoadReport> {
    for (const { name } of plan.steps) this.queue.announce(name, urgency);
    const results = plan.steps.map((step) => ({ step, result: this.start(step) }));
    const loaded: string[] = [];
    const failures: Failure[] = [];
    for (const { step, result } of results) {
      const outcome = await result;
      if (outcome === "loaded") loaded.push(step.name);
      else if (outcome !== "dropped") failures.push(outcome);
    }
    const circles = plan.cycles.map(
      (cycle) => `These modules need each other in a circle, which is cut at its end: ${cycle.join(", ")}.`,
    );
    const notes = [...this.unreadable.splice(0), ...circles];
    return { loaded, failures, missing: plan.missing, refused: plan.refused, notes };
  }

  // A list that can't be read counts as empty, so that what the others say can still be done.
  private readText(path: string): string | undefined {
    try {
      return this.host.readTextIfThere(path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.unreadable.push(`${text(path)} can't be read and is left out: ${error.message}.`);
      return undefined;
    }
  }

  private start(step: Step): Promise<Outcome> {
    const running = this.loading.get(step.name);
    if (running) return running;
    const result = this.run(step).then((outcome) => {
      this.loading.delete(step.name);
      if (outcome === "loaded") this.loaded.add(step.name);
      return outcome;
    });
    this.loading.set(step.name, result);
    return result;
  }

  private async run(step: Step): Promise<Outcome> {
    const span = this.host.watch?.(step.name);
    const outcome = await this.insertInTurn(step, () => span?.starts());
    span?.ends(describeOutcome(outcome));
    return outcome;
  }

  // The steps before this one have been started: what it waits for is loaded, or in `loading`, or has failed.
  private async insertInTurn(step: Step, starts: () => void): Promise<Outcome> {
    const file = step.file.startsWith("/") ? step.file : `${this.directory}/${step.file}`;
    const waits = [...step.needs, ...step.after].map((name) => this.loading.get(name));
    const outcomes = await Promise.all(waits);
    if (outcomes.slice(0, step.needs.length).includes("dropped")) return "dropped";
    const lacking = step.needs.find((name) => !this.loaded.has(name));
    if (lacking !== undefined) {
      const sentence = `Module ${step.name} is not loaded: it needs ${lacking}, which could not be loaded.`;
      return { name: step.name, file, code: undefined, sentence };
    }
    try {
      const done = await this.queue.run(step.name, () => {
        starts();
        return this.insert(file, parametersOf(step));
      });
      return done === "dropped" ? done : "loaded";
    } catch (error) {
      if (isErrno(error, "EEXIST")) return "loaded";
      const code = error instanceof SysError ? error.code : undefined;
      const why = error instanceof SysError ? refusal(error) : describe(error);
      return {
        name: step.name,
        file,
        code,
        sentence: `Module ${step.name} (${text(file)}) is not loaded: ${why}`,
      };
    }
  }

  private async insert(file: string, parameters: string): Promise<void> {
    const compression = compressionOfName(file);
    if (compression === undefined) return this.insertFile(file, parameters, 0);
    this.kernelUnpacks ??= (this.host.readTextIfThere("/sys/module/compression") ?? "").trim();
    if (this.kernelUnpacks === compression) {
      try {
        return await this.insertFile(file, parameters, MODULE_INIT_COMPRESSED_FILE);
      } catch (error) {
        // The kernel may not know how this very file was compressed: then it is unpacked here.
        if (!isErrno(error, "EINVAL", "EOPNOTSUPP")) throw error;
      }
    }
    return this.host.sys.slow.initModule(decompress(file, this.host.readFile(file)), parameters);
  }

  private async insertFile(file: string, parameters: string, flags: number): Promise<void> {
    const { sys } = this.host;
    const fd = sys.open(file, O_RDONLY | O_CLOEXEC);
    try {
      await sys.slow.finitModule(fd, parameters, flags);
    } finally {
      sys.close(fd);
    }
  }
}

/**
 * The kernel lets a load wait for all probing that drivers do in the background, of empty SATA ports as well, unless the
 * module says that its own may be done so (do_init_module() in kernel/module/main.c). Those that drive no device have none.
 */
function parametersOf({ file, parameters }: Step): string {
  return DRIVES_NOTHING.test(file) ? `${parameters} async_probe=1`.trimStart() : parameters;
}

const DRIVES_NOTHING = /(?:^|\/)kernel\/(?:fs|crypto|lib|arch\/[^/]+\/crypto|drivers\/md)\//;

function isDirectory(host: ModuleHost, path: string): boolean {
  try {
    host.list(path);
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

/**
 * PCI storage, network, USB and wireless controllers (by their base class), and the buses
 * behind which disks are found. Nobody is helped by the name of a button that nothing serves.
 */
const LEADS_TO_DISKS =
  /^(pci:.*bc(01|02|0Csc03|0D)|virtio:|usb:|scsi:|hid:|mmc:|sdio:|vmbus:|xen:|nd:|of:|acpi:(80860F|INT33|QCOM))/;
