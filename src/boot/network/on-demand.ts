/**
 * The network as the boot holds it. Nothing of it runs, and nothing is loaded for it, until the command line asks for it or
 * somebody who needs it does.
 */

import { describe } from "../../lib/errors.ts";
import type { NetworkSettings, NetworkState } from "../../network/types.ts";
import type { Boot } from "../context.ts";
import { parts } from "../parts.ts";
import { linksThatAreUp } from "./look.ts";
import type { Network } from "./network.ts";

export class NetworkOnDemand {
  readonly settings: NetworkSettings;
  private readonly boot: Boot;
  private readonly loadModules: (names: readonly string[]) => Promise<void>;
  /** What the kernel itself has configured, when nothing of ours ran yet. */
  private readonly before: ReadonlySet<string>;
  private loading: Promise<Network> | undefined;
  private readonly loaded = Promise.withResolvers<Network>();
  private network: Network | undefined;

  /** To be made before any hook runs, so that what hooks do to the network is taken back as well. */
  constructor(
    boot: Boot,
    settings: NetworkSettings,
    loadModules: (names: readonly string[]) => Promise<void>,
  ) {
    this.boot = boot;
    this.settings = settings;
    this.loadModules = loadModules;
    this.before = linksThatAreUp(boot.sys);
  }

  /** Begins to bring the interfaces up, in the background; `why` fits behind "for". Never throws: up() does. */
  start(why: string): void {
    this.load().then(
      (network) => network.start(why),
      (error: unknown) => this.boot.log.error(`There is no network for ${why}. ${describe(error)}`),
    );
  }

  /** Waits until what was asked for is configured. @throws UserError with what lacks (network.ts) */
  async up(): Promise<NetworkState> {
    return (await this.load()).up();
  }

  /** What is configured by now. */
  state(): NetworkState {
    return this.network?.state() ?? { interfaces: [], nameservers: [] };
  }

  /** Resolves at the next change of what is configured. As long as the network is not in use, nothing changes. */
  async changed(): Promise<void> {
    return (await this.loaded.promise).changed();
  }

  /** A line for each interface, for those whose boot has failed; none when the network is not in use. Never throws. */
  report(): string[] {
    return this.network?.report() ?? [];
  }

  /** What may make a boot succeed that failed, a clause each (network.ts). Never throws. */
  assets(): string[] {
    return this.network?.assets() ?? [];
  }

  /** Before the hand-over: gives back and takes down what we and hooks have brought up (network.ts). Never throws. */
  async end(rootIsOnNetwork: boolean): Promise<void> {
    const { sys, log } = this.boot;
    const isUntouched = [...linksThatAreUp(sys)].every((name) => this.before.has(name));
    if (this.loading === undefined && isUntouched) return;
    try {
      await (await this.load()).end(rootIsOnNetwork);
    } catch (error) {
      log.warning(`The network is left to the real init as it is: ${describe(error)}`);
    }
  }

  private load(): Promise<Network> {
    this.loading ??= parts.network().then((part) => {
      const network = new part.Network(this.boot, this.settings, this.loadModules, this.before);
      this.network = network;
      this.loaded.resolve(network);
      return network;
    });
    return this.loading;
  }
}
