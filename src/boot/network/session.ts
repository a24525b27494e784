/** What the parts of the network share while it is in use. */

import { SysError, readTextIfThere, writeFile } from "../../../syscalls/index.ts";
import {
  type LinkAddress,
  NetworkMonitor,
  type RouterOptions,
  Rtnetlink,
  readAddresses,
  readLinks,
} from "../../../syscalls/rtnetlink/index.ts";
import { formatAddress } from "../../network/address.ts";
import { type Advertised, takeAdvertised, valid } from "../../network/router-names.ts";
import type { NetworkSettings } from "../../network/types.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { waitInTheOpen } from "../wait.ts";
import { Undo } from "./undo.ts";

export interface NetworkWait<T> {
  /** Looks whether the wait is over: a value ends it. */
  readonly look: () => T | undefined;
  /** What is waited for; undefined says nothing. */
  readonly describe: () => string | undefined;
  /** Undefined waits for ever. */
  readonly timeout_ms: number | undefined;
}

export class Session {
  readonly boot: Boot;
  /** Those of the command line, and of the firmware (firmware.ts). */
  settings: NetworkSettings;
  readonly kernel: Rtnetlink;
  readonly undo = new Undo();
  /** Never rejects: what fails is logged. */
  readonly loadModules: (names: readonly string[]) => Promise<void>;
  /** The indexes of the links that were there before anything was made. */
  readonly atStart: ReadonlySet<number>;
  /** The addresses that hooks, or the kernel by its own ip=, had set before. */
  readonly addressesAtStart: readonly LinkAddress[];
  private readonly monitor: NetworkMonitor;
  /** By the index of the link. */
  private readonly byRouters = new Map<number, readonly Advertised[]>();
  private isOver = false;

  /**
   * @param ours addresses that a session before has set and left for the real system
   * @throws UserError when the kernel has no network
   */
  constructor(
    boot: Boot,
    settings: NetworkSettings,
    loadModules: (names: readonly string[]) => Promise<void>,
    ours: ReadonlySet<string> = new Set(),
  ) {
    this.boot = boot;
    this.settings = settings;
    this.loadModules = loadModules;
    try {
      this.kernel = new Rtnetlink(boot.sys);
      this.atStart = new Set(readLinks(this.kernel).map(({ index }) => index));
      this.addressesAtStart = readAddresses(this.kernel).filter(
        ({ address }) => !ours.has(formatAddress(address)),
      );
      this.monitor = new NetworkMonitor(boot.sys, {
        failed: (error) =>
          boot.log.error(`The kernel does not tell of the network any more: ${describe(error)}.`),
        advertised: (options) => this.takeIn(options),
      });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new UserError(
        `The kernel's network can't be used: ${describe(error)}.`,
        "The kernel needs CONFIG_NET and CONFIG_INET.",
      );
    }
  }

  /** Resolves at the next change of links, addresses and routes, and of what `wake` tells. */
  changed(): Promise<void> {
    return this.monitor.changed();
  }

  /** Tells those who wait of what the kernel does not know. */
  wake(): void {
    this.monitor.wake();
  }

  /** The name servers and domains that routers on this link have advertised, as far as they count still. */
  advertised(link: number): { readonly nameservers: readonly string[]; readonly search: readonly string[] } {
    const known = valid(this.byRouters.get(link) ?? [], performance.now());
    const list = (wanted: Advertised["kind"]): string[] =>
      known.filter(({ kind }) => kind === wanted).map(({ value }) => value);
    return { nameservers: list("nameserver"), search: list("domain") };
  }

  /** Waits in the open until `look` has a value; undefined when time is up. Never returns once the session is over. */
  wait<T>({ look, describe: words, timeout_ms }: NetworkWait<T>): Promise<T | undefined> {
    return waitInTheOpen<T>(this.boot, {
      look: async () => (this.isOver ? new Promise<never>(() => undefined) : look()),
      changed: () => this.changed(),
      describe: async () => words(),
      timeout_ms,
    });
  }

  /** The same without a deadline, and without a word: somebody has been told. */
  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const value = await this.wait({ look, describe: () => undefined, timeout_ms: undefined });
      if (value !== undefined) return value;
    }
  }

  /** From now on nothing of it acts any more; what it has changed can still be taken back. */
  end(): void {
    this.isOver = true;
    this.wake();
  }

  close(): void {
    this.kernel.close();
  }

  get hasEnded(): boolean {
    return this.isOver;
  }

  /**
   * Sets a file of sysfs or procfs, and remembers to set it back. False when there is no such file.
   * @throws SysError
   */
  setKnob(path: string, value: string): boolean {
    const { sys } = this.boot;
    const before = readTextIfThere(sys, path)?.trim();
    if (before === undefined) return false;
    if (before === value) return true;
    writeFile(sys, path, value);
    this.undo.add(`set ${path} back`, () => writeFile(sys, path, before));
    return true;
  }

  private takeIn({ link, options }: RouterOptions): void {
    if (this.isOver) return;
    const name = readLinks(this.kernel).find(({ index }) => index === link)?.name;
    if (name === undefined) return;
    const known = this.byRouters.get(link) ?? [];
    const now_ms = performance.now();
    this.byRouters.set(link, takeAdvertised(known, options, { now_ms, link: name }));
  }
}
