/** An interface that is brought up: switched on, with a carrier, and with addresses by all the ways that were asked for. */

import { SysError } from "../../../syscalls/index.ts";
import type { Link } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe, unreachable } from "../../lib/errors.ts";
import type { InterfaceWish, Lease, Method } from "../../network/types.ts";
import type { OnLink } from "../../network/routes.ts";
import { dropAddress } from "./configure.ts";
import { runDhcp4 } from "./dhcp4.ts";
import { configureStatic } from "./static.ts";
import type { Part, PartHost, Progress } from "./part.ts";
import { runAuto6, runEither6, runLink6 } from "./auto6.ts";
import { runDhcp6 } from "./dhcp6.ts";
import { runLinkLocal } from "./link-local.ts";
import type { Span } from "../timing/timing.ts";
import type { Session } from "./session.ts";
import { findIndex, setMtu, switchOn, untilOperational } from "./switch-on.ts";

/** Where an interface stands among the others. */
export interface Place {
  /** Of its default route; undefined for the interface whose routes count most. */
  readonly metric: number | undefined;
  /** True while nobody need know of its troubles, as another does in its place. */
  readonly isSpare: () => boolean;
}

export class Interface {
  readonly index: number;
  readonly wish: InterfaceWish;
  private readonly session: Session;
  private readonly place: Place;
  private readonly called: string;
  private readonly parts = new Map<string, Progress>();
  private readonly leases = new Map<4 | 6, Lease>();
  private readonly spans = new Map<string, Span>();
  private readonly ends: ((release: boolean) => Promise<void>)[] = [];
  private own: readonly OnLink[] = [];
  private hasCarried = false;
  private isOver = false;

  constructor(session: Session, link: Link, wish: InterfaceWish, place: Place) {
    this.session = session;
    this.index = link.index;
    this.called = link.name;
    this.wish = wish;
    this.place = place;
  }

  /** As the kernel calls it, a byte string. */
  get name(): string {
    return this.look()?.name ?? this.called;
  }

  /** Done when all its ways are, or when one is and the others are overdue. */
  get progress(): Progress {
    const all = [...this.parts.values()];
    if (all.includes("under way")) return "under way";
    const failed = all.find((one) => one instanceof UserError);
    return failed === undefined || all.includes("done") ? "done" : failed;
  }

  /** It has never carried data, and its time for that is over. */
  get isOverdue(): boolean {
    return !this.hasCarried && this.progress instanceof UserError;
  }

  get addresses(): readonly OnLink[] {
    return this.own;
  }

  /** That of IPv4, when there are two. */
  get lease(): Lease | undefined {
    return this.leases.get(4) ?? this.leases.get(6);
  }

  get allLeases(): readonly Lease[] {
    return [...this.leases.values()];
  }

  /** Brings it up and keeps it up. Never rejects. */
  async run(): Promise<void> {
    const parts = [...partsOf(this.wish)];
    for (const [key] of parts) this.parts.set(key, "under way");
    const carrier = this.session.boot.timing.begin("network", `${text(this.name)}: carrier`);
    try {
      await this.ready();
      carrier.ends();
      if (this.isOver) return;
    } catch (error) {
      for (const [key] of parts) this.report(key, this.fault(error));
      return;
    }
    await Promise.all(parts.map(([key, run]) => this.runPart(key, run)));
  }

  /** Ends what it has running, and gives leases back when that is wanted. Never rejects. */
  async end(release: boolean): Promise<void> {
    await Promise.all(this.ends.splice(0).map((end) => end(release)));
  }

  /** The link is gone, or another one does in its place: nothing more is done for it. Never rejects. */
  async giveUp(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.end(true);
    try {
      for (const { address } of this.own)
        if (!this.session.hasEnded) dropAddress(this.session.kernel, this.index, address);
    } catch (error) {
      this.session.boot.log.debug(`${text(this.called)} keeps addresses: ${describe(error)}`);
    }
    this.own = [];
    this.leases.clear();
    this.session.wake();
  }

  private async runPart(key: string, run: Part): Promise<void> {
    this.spans.set(key, this.session.boot.timing.begin("network", `${text(this.name)}: ${key}`));
    try {
      await run(this.host(), (progress) => this.report(key, progress));
    } catch (error) {
      this.report(key, this.fault(error));
    }
  }

  private report(key: string, progress: Progress): void {
    if (this.session.hasEnded || this.isOver) return;
    this.parts.set(key, progress);
    if (progress !== "under way") this.spans.get(key)?.ends(progress === "done" ? undefined : "failed");
    if (progress instanceof UserError) this.tell(describe(progress));
    this.session.wake();
  }

  private tell(problem: string): void {
    const { log } = this.session.boot;
    if (this.isSpare()) log.debug(problem);
    else log.warning(problem);
  }

  private isSpare(): boolean {
    return this.isOver || this.place.isSpare();
  }

  private fault(error: unknown): UserError {
    if (error instanceof UserError) return error;
    if (error instanceof SysError)
      return new UserError(`${text(this.name)} can't be configured: ${describe(error)}.`);
    const stack = error instanceof Error ? error.stack : undefined;
    return new UserError(`rdinit met an error of its own, please report it: ${stack ?? describe(error)}`);
  }

  private look(): Link | undefined {
    return findIndex(this.session, this.index);
  }

  private async ready(): Promise<void> {
    const link = this.look();
    if (link === undefined) throw new UserError(`${text(this.called)} is gone.`);
    switchOn(this.session, link, this.wish);
    await untilOperational(this.session, this.index, text(link.name), {
      isSpare: () => this.isSpare(),
      isOver: () => this.isOver,
      late: (error) => {
        for (const key of this.parts.keys()) this.parts.set(key, error);
        this.tell(describe(error));
        this.session.wake();
      },
    });
    this.hasCarried = true;
    for (const key of this.parts.keys()) this.parts.set(key, "under way");
    this.session.wake();
  }

  // The server means all its clients: not every card can do what it says.
  private setMtuOfLease(link: Link, mtu: number): void {
    try {
      setMtu(this.session, link, mtu);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const refusal = `can't have the MTU ${mtu} that the DHCP server names, and keeps ${link.mtu}`;
      this.session.boot.log.warning(`${text(link.name)} ${refusal}: ${describe(error)}.`);
    }
  }

  /** As its ways to addresses see it. */
  host(): PartHost {
    const { session, index, wish } = this;
    const own = (): readonly OnLink[] => this.own;
    return {
      session,
      link: index,
      name: this.name,
      wish,
      metric: this.place.metric,
      get own() {
        return own();
      },
      isSpare: () => this.isSpare(),
      look: () => this.look(),
      keep: (wanted) => {
        this.own = [...this.own.filter(({ address }) => address !== wanted.address), wanted];
      },
      drop: (gone) => {
        this.own = this.own.filter(({ address }) => address !== gone);
      },
      setLease: (family, lease) => {
        if (lease === undefined) this.leases.delete(family);
        else this.leases.set(family, lease);
        const link = this.look();
        if (lease?.mtu !== undefined && wish.mtu === undefined && link !== undefined)
          this.setMtuOfLease(link, lease.mtu);
        session.wake();
      },
      atEnd: (end) => void this.ends.push(end),
    };
  }
}

function* partsOf({ addresses, methods }: InterfaceWish): Generator<readonly [key: string, run: Part]> {
  if (addresses.length > 0) yield ["static", configureStatic];
  for (const method of methods) yield [method, partOf(method)];
}

function partOf(method: Method): Part {
  switch (method) {
    case "dhcp":
      return runDhcp4;
    case "dhcp6":
      return runDhcp6;
    case "auto6":
      return runAuto6;
    case "either6":
      return runEither6;
    case "link6":
      return runLink6;
    case "link-local":
      return runLinkLocal;
    case "ibft":
      // Others stand in its place by then (firmware.ts).
      return async (_, report) => report("done");
    default:
      return unreachable(method);
  }
}
