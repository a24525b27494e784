/** Routes of the command line: rd.route=. */

import { SysError, isErrno } from "../../../syscalls/index.ts";
import { readLinks } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import { findLink } from "../../network/find-link.ts";
import { showLink } from "../../network/link-names.ts";
import type { RouteWish } from "../../network/types.ts";
import { setRoute } from "./configure.ts";
import { presentLinks } from "./present.ts";
import type { Session } from "./session.ts";

/** Those that are not set yet. */
export class WantedRoutes {
  private readonly session: Session;
  private left: readonly RouteWish[];

  constructor(session: Session) {
    this.session = session;
    this.left = session.settings.routes;
  }

  /** Sets what can be set by now. */
  attempt(): void {
    if (this.left.length > 0) this.left = this.left.filter((route) => !this.set(route));
  }

  /** Waits until all are set, and says which are not. */
  async settle(): Promise<void> {
    const { session } = this;
    const timeout_ms = session.settings.timeouts.route_ms;
    const look = (): true | undefined => {
      this.attempt();
      return this.left.length === 0 ? true : undefined;
    };
    const words = (): string => `waiting for the way to ${this.left.map(show).join(", ")}`;
    if ((await session.wait({ look, describe: words, timeout_ms })) !== undefined) return;
    for (const route of this.left)
      session.boot.log.warning(
        `The route to ${show(route)} can't be set: after ${timeout_ms / 1000} s nothing leads to its gateway.`,
      );
  }

  private set(route: RouteWish): boolean {
    const { kernel, settings, boot } = this.session;
    const links = presentLinks(readLinks(kernel), boot.sys);
    const link = route.link && findLink(route.link, links, settings.names);
    if (route.link !== undefined && link?.isUp !== true) return false;
    try {
      setRoute(kernel, link?.index, route, { metric: undefined, origin: "static" });
      boot.log.debug(`set the route to ${show(route)}`);
      return true;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      // What the kernel says while nothing leads to the gateway.
      if (isErrno(error, "ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EINVAL")) return false;
      boot.log.warning(`The route to ${show(route)} can't be set: ${describe(error)}.`);
      return true;
    }
  }
}

function show({ destination, prefix, gateway, link }: RouteWish): string {
  const by = gateway === undefined ? "" : ` by ${gateway}`;
  return `${destination}/${prefix}${by}${link === undefined ? "" : ` on ${text(showLink(link))}`}`;
}
