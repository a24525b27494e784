/**
 * Brings the network up by its plan (src/network/plan.ts), which is made anew whenever links come or go: what it asks for
 * and is not done yet is done then, in whatever order the machine's cards appear.
 */

import { SysError } from "../../../syscalls/index.ts";
import { changeLink, readLinks } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { showLink } from "../../network/link-names.ts";
import { type Configure, type NetworkPlan, networkModules, planNetwork } from "../../network/plan.ts";
import { adoptFirmware } from "./firmware.ts";
import { Interface } from "./interface.ts";
import { loadNetworkModules, make, rename } from "./make-links.ts";
import { type KnownLink, presentLinks } from "./present.ts";
import { Resolver, collectNames } from "./resolver.ts";
import { WantedRoutes } from "./routes.ts";
import type { Session } from "./session.ts";

/** How far the whole is: the error tells what lacks. */
export type Outcome = "under way" | "up" | UserError;

export class BringUp {
  private readonly session: Session;
  private readonly routes: WantedRoutes;
  private readonly resolver: Resolver;
  private readonly found: Interface[] = [];
  private readonly made = new Set<string>();
  private readonly told = new Set<string>();
  private plan: NetworkPlan | undefined;
  private isLate = false;
  private hasRoutes = false;

  constructor(session: Session) {
    this.session = session;
    this.routes = new WantedRoutes(session);
    this.resolver = new Resolver(session);
  }

  get interfaces(): readonly Interface[] {
    return this.found;
  }

  /** Runs until the session ends. Never rejects. */
  async run(): Promise<void> {
    const { session } = this;
    try {
      await adoptFirmware(session);
      await loadNetworkModules(session, [...networkModules(session.settings), "af_packet"]);
      void this.waitForLinks();
      while (!session.hasEnded) {
        const changed = session.changed();
        this.attempt(() => this.reconcile());
        await changed;
      }
    } catch (error) {
      if (session.hasEnded) return;
      session.boot.log.error(`The network is not brought up any further: ${describe(error)}.`);
    }
  }

  outcome(): Outcome {
    const { plan } = this;
    if (plan === undefined) return "under way";
    if (this.isReached(plan)) return this.hasRoutes ? "up" : "under way";
    const failures = this.found.map(({ progress }) => progress).filter((one) => one instanceof UserError);
    const lacking = this.lacking(plan);
    if (failures.length < this.found.length || (lacking !== undefined && !this.isLate)) return "under way";
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

  private lacking({ missing, lacksCard }: NetworkPlan): UserError | undefined {
    const within = `within ${this.session.settings.timeouts.link_ms / 1000} s`;
    if (missing.length > 0)
      return new UserError(
        `There is no network interface ${missing.map((link) => text(showLink(link))).join(", ")} ${within}.`,
        "A driver may be missing in the image (network = yes), or the name may be another one.",
      );
    if (lacksCard)
      return new UserError(
        `No network card has appeared ${within}.`,
        "A driver may be missing in the image (network = yes).",
      );
    return undefined;
  }

  private reconcile(): void {
    const { session } = this;
    const look = (): KnownLink[] => presentLinks(readLinks(session.kernel), session.boot.sys);
    this.endGone(look());
    const first = planNetwork(session.settings, look());
    this.attempt(() => rename(session, first.renames));
    const plan = first.renames.length > 0 ? planNetwork(session.settings, look()) : first;
    this.plan = plan;
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
    this.resolver.use(collectNames(session, this.found));
    if (!this.hasRoutes && this.isReached(plan)) void this.settleRoutes();
  }

  private begin({ name, wish, isRequired }: Configure, plan: NetworkPlan): void {
    const { session } = this;
    const link = presentLinks(readLinks(session.kernel)).find((one) => one.name === name);
    if (link === undefined || this.found.some(({ index }) => index === link.index)) return;
    const isAnyStatic = wish.link === undefined && wish.addresses.length > 0;
    if (isAnyStatic && this.found.some((one) => one.wish === wish)) return;
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
    }
  }

  private async waitForLinks(): Promise<void> {
    const { session } = this;
    const lacks = (): boolean => this.plan === undefined || this.lacking(this.plan) !== undefined;
    const words = (): string => {
      const missing = this.plan?.missing.map((link) => text(showLink(link))) ?? [];
      return missing.length === 0
        ? "waiting for a network card"
        : `waiting for the network interface ${missing.join(", ")}`;
    };
    const timeout_ms = session.settings.timeouts.link_ms;
    const look = (): true | undefined => (lacks() ? undefined : true);
    if ((await session.wait({ look, describe: words, timeout_ms })) !== undefined) return;
    this.isLate = true;
    const lacking = this.plan === undefined ? undefined : this.lacking(this.plan);
    if (lacking !== undefined) this.tell(describe(lacking));
    session.wake();
  }

  private async settleRoutes(): Promise<void> {
    await this.routes.settle();
    this.hasRoutes = true;
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
