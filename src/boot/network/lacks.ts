/** What the plan asks for and the machine has not: a card, or a link that is named. */

import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { showLink } from "../../network/link-names.ts";
import type { NetworkPlan } from "../../network/plan.ts";
import type { Session } from "./session.ts";

export class Lacks {
  private readonly session: Session;
  private readonly tell: (problem: string) => void;
  private plan: Pick<NetworkPlan, "missing" | "lacksCard"> = { missing: [], lacksCard: false };
  private wait: "none" | "under way" | "in vain" = "none";

  constructor(session: Session, tell: (problem: string) => void) {
    this.session = session;
    this.tell = tell;
  }

  /** Takes a new plan in. What lacks is waited for, whether it never came or went away again; one wait at a time. */
  take(plan: Pick<NetworkPlan, "missing" | "lacksCard">): void {
    this.plan = plan;
    if (this.error === undefined) this.wait = "none";
    else if (this.wait === "none") void this.untilThere();
  }

  /** True when it has been waited for in vain. */
  get isLate(): boolean {
    return this.wait === "in vain";
  }

  /** What lacks, as it is told when it is late; undefined when nothing does. */
  get error(): UserError | undefined {
    const { missing, lacksCard } = this.plan;
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

  private async untilThere(): Promise<void> {
    const { session } = this;
    this.wait = "under way";
    const words = (): string => {
      const missing = this.plan.missing.map((link) => text(showLink(link)));
      return missing.length === 0
        ? "waiting for a network card"
        : `waiting for the network interface ${missing.join(", ")}`;
    };
    const timeout_ms = session.settings.timeouts.link_ms;
    const look = (): true | undefined => (this.error === undefined ? true : undefined);
    if ((await session.wait({ look, describe: words, timeout_ms })) !== undefined) return;
    this.wait = "in vain";
    if (this.error !== undefined) this.tell(describe(this.error));
    session.wake();
  }
}
