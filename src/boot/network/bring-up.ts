/**
 * Brings the network up by its plan (src/network/plan.ts), which is made anew whenever links come or go: what it asks for
 * and is not done yet is done then, in whatever order the machine's cards appear.
 */

import { SysError } from "../../../syscalls/index.ts";
import { changeLink, readLinks } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { type Configure, type NetworkPlan, networkModules, planNetwork } from "../../network/plan.ts";
import type { InterfaceWish } from "../../network/types.ts";
import { adoptFirmware } from "./firmware.ts";
import { Interface } from "./interface.ts";
import { Lacks } from "./lacks.ts";
import { loadNetworkModules, make, rename } from "./make-links.ts";
import { type KnownLink, presentLinks } from "./present.ts";
import { Resolver, collectNames } from "./resolver.ts";
import { WantedRoutes } from "./routes.ts";
import type { Session } from "./session.ts";

/** How far the whole is: the error tells what lacks. */
export type Outcome = "under way" | "up" | UserError;

export class BringUp {
  private readonly session: Session;
  private routes: WantedRoutes;
  private readonly resolver: Resolver;
  private readonly lacks: Lacks;
  private readonly found: Interface[] = [];
  private readonly made = new Set<string>();
  private readonly told = new Set<string>();
  private plan: NetworkPlan | undefined;
  /** Why nothing goes on any more. */
  private broken: UserError | undefined;
  /** The routes of the command line: to be set, waited for, and no more. */
  private routesAre: "to come" | "under way" | "settled" = "to come";

  constructor(session: Session) {
    this.session = session;
    this.routes = new WantedRoutes(session);
    this.resolver = new Resolver(session);
    this.lacks = new Lacks(session, (problem) => this.tell(problem));
  }

  /** The boot interface first, as what it is told counts most (bootdev=). */
  get interfaces(): readonly Interface[] {
    const isFirst = ({ name }: Interface): boolean => name === this.plan?.bootLink;
    return [...this.found.filter(isFirst), ...this.found.filter((one) => !isFirst(one))];
  }

  /** Runs until the session ends. Never rejects. */
  async run(): Promise<void> {
    const { session } = this;
    try {
      await adoptFirmware(session);
      await loadNetworkModules(session, [...networkModules(session.settings), "af_packet"]);
      while (!session.hasEnded) {
        const changed = session.changed();
        this.attempt(() => this.reconcile());
        await changed;
      }
    } catch (error) {
      if (session.hasEnded) return;
      this.broken = new UserError(`The network is not brought up any further: ${describe(error)}.`);
      session.boot.log.error(this.broken.message);
      session.wake();
    }
  }

  outcome(): Outcome {
    const { plan } = this;
    if (this.broken !== undefined) return this.broken;
    if (plan === undefined) return "under way";
    if (this.isReached(plan)) return this.routesAre === "settled" ? "up" : "under way";
    const failures = this.found.map(({ progress }) => progress).filter((one) => one instanceof UserError);
    const { error: lacking, isLate } = this.lacks;
    if (failures.length < this.found.length || (lacking !== undefined && !isLate)) return "under way";
    const [first = lacking] = failures;
    if (first === undefined) return "under way";
    return new UserError(
      unique([...failures, lacking].flatMap((one) => one?.message ?? [])).join(" "),
      first.remedy,
    );
  }

  private isReached(plan: NetworkPlan): boolean {
    const isDone = ({ name }: Configure): boolean =>
      this.found.some((one) => one.name === name && one.progress === "done");
    const boot = plan.configures.find(({ name }) => name === plan.bootLink);
    if (boot !== undefined) return isDone(boot);
    const required = plan.configures.filter(({ isRequired }) => isRequired);
    const others = plan.configures.filter(({ isRequired }) => !isRequired);
    if (plan.missing.length > 0 || plan.lacksCard) return false;
    return required.every(isDone) && (others.length === 0 || others.some(isDone));
  }

  private reconcile(): void {
    const { session } = this;
    const look = (): KnownLink[] => presentLinks(readLinks(session.kernel), session.boot.sys);
    this.endGone(look());
    const first = planNetwork(session.settings, look());
    this.attempt(() => rename(session, first.renames));
    const plan = this.keepPlaces(first.renames.length > 0 ? planNetwork(session.settings, look()) : first);
    this.plan = plan;
    this.lacks.take(plan);
    for (const problem of plan.problems) this.tell(problem);
    for (const wanted of plan.makes)
      this.attempt(() => {
        const isNew = !this.made.has(wanted.name);
        this.made.add(wanted.name);
        make(session, wanted, isNew);
      });
    this.switchOnAll(plan);
    for (const configure of plan.configures) this.begin(configure, plan);
    this.endSpares();
    this.routes.attempt();
    this.resolver.use(collectNames(session, this.interfaces));
    if (this.routesAre === "to come" && this.isReached(plan)) void this.settleRoutes();
  }

  // A fixed address for any card stays where it is, unless that has had no carrier in its time and another has one.
  private keepPlaces(plan: NetworkPlan): NetworkPlan {
    const configures = plan.configures.map((one) => {
      const holder = this.holderOf(one.wish);
      return holder === undefined || holder.isOverdue ? one : { ...one, name: holder.name };
    });
    return { ...plan, configures };
  }

  private holderOf(wish: InterfaceWish): Interface | undefined {
    const isForAny = wish.link === undefined && wish.addresses.length > 0;
    return isForAny ? this.found.find((one) => one.wish === wish) : undefined;
  }

  private begin({ name, wish, isRequired }: Configure, plan: NetworkPlan): void {
    const { session } = this;
    const link = presentLinks(readLinks(session.kernel)).find((one) => one.name === name);
    if (link === undefined || this.found.some(({ index }) => index === link.index)) return;
    const holder = this.holderOf(wish);
    if (holder !== undefined) {
      session.boot.log.info(`${text(name)} is used in the place of ${text(holder.name)}`);
      this.found.splice(this.found.indexOf(holder), 1);
      void holder.giveUp();
    }
    const isFirst = plan.bootLink === undefined ? this.found.length === 0 : name === plan.bootLink;
    const begun = new Interface(session, link, wish, {
      metric: isFirst ? undefined : FURTHER_METRIC + this.found.length,
      isSpare: () => !isRequired && this.found.some(({ progress }) => progress === "done"),
    });
    this.found.push(begun);
    void begun.run();
  }

  // Which card has a carrier is known only of those that are on.
  private switchOnAll(plan: NetworkPlan): void {
    if (this.session.settings.bootLink !== undefined) return;
    if (!plan.configures.some(({ wish }) => wish.link === undefined)) return;
    for (const { index, isUp, isEthernet, isVirtual, master } of presentLinks(readLinks(this.session.kernel)))
      if (!isUp && isEthernet && !isVirtual && master === undefined)
        this.attempt(() => changeLink(this.session.kernel, index, { isUp: true }));
  }

  // ip=single-dhcp: who comes first is enough.
  private endSpares(): void {
    const winner = this.found.find(({ wish, progress }) => wish.isSingle && progress === "done");
    if (winner === undefined) return;
    for (const other of this.found.filter(({ wish }) => wish.isSingle))
      if (other !== winner) void other.giveUp();
  }

  // One that comes again has another index, and is another interface.
  private endGone(links: readonly KnownLink[]): void {
    for (const gone of this.found.filter(({ index }) => links.every((link) => link.index !== index))) {
      this.found.splice(this.found.indexOf(gone), 1);
      this.session.boot.log.warning(`${text(gone.name)} is gone.`);
      void gone.giveUp();
      // Its routes went with it.
      this.routes = new WantedRoutes(this.session);
      this.routesAre = "to come";
    }
  }

  private async settleRoutes(): Promise<void> {
    const { routes } = this;
    this.routesAre = "under way";
    await routes.settle();
    if (routes !== this.routes) return;
    this.routesAre = "settled";
    this.session.wake();
  }

  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.tell(`The network can't be changed as asked: ${describe(error)}.`);
    }
  }

  // The plan is made often, and says the same each time.
  private tell(problem: string): void {
    if (this.told.has(problem)) return;
    this.told.add(problem);
    this.session.boot.log.warning(problem);
  }
}

/** Of the default routes of all interfaces but the first. */
const FURTHER_METRIC = 1000;

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
