/** The network of the early userspace, once somebody asks for it (on-demand.ts). A chunk of its own (boot/parts.ts). */

import { SysError } from "../../../syscalls/index.ts";
import {
  type Link,
  type LinkAddress,
  readAddresses,
  readLinks,
  readRoutes,
} from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { formatAddress } from "../../network/address.ts";
import type { NetworkSettings, NetworkState } from "../../network/types.ts";
import type { Boot } from "../context.ts";
import { BringUp, type Outcome } from "./bring-up.ts";
import { tellRealSystem } from "./leave-up.ts";
import { loopbackUp } from "./loopback.ts";
import { collectNames } from "./resolver.ts";
import { Session } from "./session.ts";
import { takeDown } from "./take-down.ts";

export class Network {
  private readonly boot: Boot;
  private readonly settings: NetworkSettings;
  private readonly loadModules: (names: readonly string[]) => Promise<void>;
  /** What the kernel itself has configured, when nothing of ours ran yet. */
  private readonly before: ReadonlySet<string>;
  private running: { readonly session: Session; readonly bringUp: BringUp } | undefined;
  private refused: UserError | undefined;
  private hasFailed = false;
  /** Addresses that were left for the real system, whose start failed. */
  private left: ReadonlySet<string> = new Set();
  private next = Promise.withResolvers<void>();

  /** @param before the links that were up before anything of ours ran (look.ts) */
  constructor(
    boot: Boot,
    settings: NetworkSettings,
    loadModules: (names: readonly string[]) => Promise<void>,
    before: ReadonlySet<string>,
  ) {
    this.boot = boot;
    this.settings = settings;
    this.loadModules = loadModules;
    this.before = before;
  }

  /**
   * Begins to bring the interfaces up, in the background; further calls do nothing.
   * @param why fits behind "for": "remote unlock", "root=nfs:…"
   */
  start(why: string): void {
    if (this.running !== undefined) return;
    const { boot, settings } = this;
    if (settings.isOff) {
      this.boot.log.debug(`the network, for ${why}, is left as it is, as ip= says`);
      return;
    }
    boot.log.info(`bringing the network up, for ${why}`);
    try {
      const session = new Session(boot, settings, this.loadModules, this.left);
      this.refused = undefined;
      const bringUp = new BringUp(session);
      this.running = { session, bringUp };
      loopbackUp(session);
      void bringUp.run();
      void this.pass(session);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.refused = error;
    }
  }

  /**
   * Waits, in the open and with deadlines, until what was asked for is configured. With ip=off that is at once.
   * @throws UserError with what lacks: no link, no carrier, no lease. What lacks may still come, and later calls wait anew.
   */
  async up(): Promise<NetworkState> {
    if (this.settings.isOff) return this.state();
    this.start("what waits for it");
    if (this.refused !== undefined) throw this.refused;
    const { running } = this;
    if (running === undefined) return this.state();
    const outcome = await this.settled(running);
    this.hasFailed = outcome instanceof UserError;
    if (outcome instanceof UserError) throw outcome;
    return this.state();
  }

  /** What is configured by now, the boot interface first. */
  state(): NetworkState {
    if (this.running === undefined) return { interfaces: [], nameservers: [] };
    const { session, bringUp } = this.running;
    const addresses = readAddresses(session.kernel).filter(
      ({ scope, isTentative, isDuplicate }) => scope === "global" && !isTentative && !isDuplicate,
    );
    const links = readLinks(session.kernel).filter(
      ({ index, type }) => type !== "loopback" && addresses.some(({ link }) => link === index),
    );
    const ours = bringUp.interfaces.map(({ index }) => index);
    const inOrder = [
      ...ours.flatMap((index) => links.find((link) => link.index === index) ?? []),
      ...links.filter(({ index }) => !ours.includes(index)),
    ];
    return {
      interfaces: inOrder.map(({ index, name }) => {
        const lease = bringUp.interfaces.find((one) => one.index === index)?.lease;
        const own = addresses.filter(({ link }) => link === index);
        return {
          name,
          addresses: own.map(({ address, prefix }) => `${formatAddress(address)}/${prefix}`),
          ...(lease === undefined ? {} : { lease }),
        };
      }),
      nameservers: collectNames(session, bringUp.interfaces).nameservers,
    };
  }

  /**
   * A line for each interface and for the name servers, for those whose boot has failed; none when the network is not in
   * use. Never throws.
   */
  report(): string[] {
    if (this.running === undefined) return [];
    const { kernel } = this.running.session;
    try {
      const addresses = readAddresses(kernel);
      const links = readLinks(kernel).filter(({ type }) => type !== "loopback");
      const { nameservers } = this.state();
      const isLocal = readRoutes(kernel).every(({ destination }) => destination !== undefined);
      return [
        ...links.map((link) => `  ${describeLink(link, addresses)}`),
        // What is behind a gateway can't be reached then.
        ...(isLocal && addresses.some(({ scope }) => scope === "global") ? ["  no default route"] : []),
        ...(nameservers.length === 0 ? [] : [`  name servers: ${nameservers.join(", ")}`]),
      ];
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return [`  (can't be read: ${describe(error)})`];
    }
  }

  /** What may make a boot succeed that failed, a clause each: carriers, addresses, name servers, a root path. Never throws. */
  assets(): string[] {
    if (this.running === undefined) return [];
    try {
      const links = readLinks(this.running.session.kernel).filter(({ type }) => type !== "loopback");
      return listAssets(links, this.state());
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return [];
    }
  }

  /** Resolves at the next change of state(). */
  changed(): Promise<void> {
    return this.next.promise;
  }

  /**
   * Before the hand-over: gives leases back, removes addresses, takes links down and ends children; or, when the root is
   * on the network, leaves all as it is but the children. Never throws.
   */
  async end(rootIsOnNetwork: boolean): Promise<void> {
    const { running } = this;
    this.running = undefined;
    running?.session.end();
    if (running !== undefined)
      await Promise.all(running.bringUp.interfaces.map((one) => one.end(!rootIsOnNetwork)));
    if (rootIsOnNetwork && running !== undefined) {
      const { interfaces } = running.bringUp;
      this.left = new Set(interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
      tellRealSystem(this.boot, interfaces, collectNames(running.session, interfaces));
    }
    await takeDown(this.boot, this.before, rootIsOnNetwork);
    if (!rootIsOnNetwork) running?.session.undo.run(this.boot.log);
    running?.session.close();
  }

  private async settled({ session, bringUp }: NonNullable<Network["running"]>): Promise<Outcome> {
    const { timeouts, dhcp } = this.settings;
    // Who has been told what lacks, and tries again, waits as long as the longest step may take.
    if (this.hasFailed) {
      const again = await session.wait({
        look: () => (bringUp.outcome() === "up" ? "up" : undefined),
        describe: () => "waiting for the network",
        timeout_ms: timeouts.carrier_ms + timeouts.dhcp_ms * dhcp.tries,
      });
      if (again !== undefined) return again;
    }
    // Each step of it says what it waits for, and until when.
    return session.until<Outcome>(() => {
      const outcome = bringUp.outcome();
      return outcome === "under way" ? undefined : outcome;
    });
  }

  private async pass(session: Session): Promise<void> {
    while (!session.hasEnded) {
      await session.changed();
      const { resolve } = this.next;
      this.next = Promise.withResolvers();
      resolve();
    }
  }
}

function listAssets(links: readonly Link[], { interfaces, nameservers }: NetworkState): string[] {
  return [
    ...links.filter((link) => link.isOperational).map(({ name }) => `${text(name)} has a carrier`),
    ...interfaces.flatMap(({ name, addresses, lease }) => [
      ...addresses.map((address) => `${text(name)} has the address ${address}`),
      ...(lease?.rootPath === undefined ? [] : [`the DHCP server names the root ${text(lease.rootPath)}`]),
    ]),
    ...nameservers.map((server) => `there is the name server ${server}`),
  ];
}

function describeLink({ index, name, mac, isUp, isOperational }: Link, all: readonly LinkAddress[]): string {
  const own = all.filter(({ link }) => link === index);
  const state = isOperational ? "up" : isUp ? "no carrier" : "down";
  const shown = own.map(
    ({ address, prefix, isDuplicate }) =>
      `${formatAddress(address)}/${prefix}${isDuplicate ? " (another machine's)" : ""}`,
  );
  return [text(name), mac, state, ...shown].filter((word) => word !== "").join(" ");
}
