/** A link is switched on, and waited for until it can carry data. */

import { type Link, changeLink, readLinks } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import type { Session } from "./session.ts";

/** Undefined when it is gone, and once the session is over. @throws SysError */
export function findIndex(session: Session, index: number): Link | undefined {
  return session.hasEnded ? undefined : readLinks(session.kernel).find((link) => link.index === index);
}

/** Gives the link its MAC address and its MTU, when these are wished, and switches it on. @throws SysError */
export function switchOn(
  session: Session,
  link: Link,
  { mac, mtu }: { readonly mac: string | undefined; readonly mtu: number | undefined },
): void {
  const { kernel, undo } = session;
  const { index, name } = link;
  if (mac !== undefined && mac !== link.mac) {
    // Many drivers take an address only while the link is down.
    changeLink(kernel, index, { isUp: false });
    changeLink(kernel, index, { mac });
    undo.add(`give ${text(name)} its MAC address back`, () => changeLink(kernel, index, { mac: link.mac }));
  }
  if (mtu !== undefined) setMtu(session, link, mtu);
  changeLink(kernel, index, { isUp: true });
}

/** @throws SysError */
export function setMtu({ kernel, undo }: Session, { index, name, mtu: before }: Link, mtu: number): void {
  if (mtu === before) return;
  changeLink(kernel, index, { mtu });
  undo.add(`set the MTU of ${text(name)} back`, () => changeLink(kernel, index, { mtu: before }));
}

/** What somebody who waits for a link hears. */
export interface LinkEvents {
  /** True while nothing need be said. */
  readonly isSpare: () => boolean;
  /** True once nobody waits for it any more. */
  readonly isOver: () => boolean;
  /** Time is up; the wait goes on. */
  readonly late: (error: UserError) => void;
}

/**
 * Waits until the link has a carrier, and then until it carries data, which takes a bridge or a port that has to log in
 * some time longer.
 */
export async function untilOperational(
  session: Session,
  index: number,
  called: string,
  { isSpare, isOver, late }: LinkEvents,
): Promise<void> {
  const { carrier_ms, up_ms } = session.settings.timeouts;
  const steps = [
    {
      isDone: ({ hasCarrier }: Link) => hasCarrier,
      words: `waiting for ${called}: no carrier`,
      timeout_ms: carrier_ms,
      late: new UserError(
        `${called} has no carrier after ${carrier_ms / 1000} s.`,
        "Look at its cable, and at what that leads to.",
      ),
      done: `${called} has a carrier now.`,
    },
    {
      isDone: ({ isOperational }: Link) => isOperational,
      words: `waiting for ${called}: it has a carrier and carries no data yet`,
      timeout_ms: up_ms,
      late: new UserError(`${called} has a carrier and carries no data after ${up_ms / 1000} s.`),
      done: `${called} carries data now.`,
    },
  ];
  for (const step of steps) {
    const look = (): true | undefined => {
      if (isOver()) return true;
      const link = findIndex(session, index);
      return link !== undefined && step.isDone(link) ? true : undefined;
    };
    const words = (): string | undefined => (isSpare() ? undefined : step.words);
    if ((await session.wait({ look, describe: words, timeout_ms: step.timeout_ms })) !== undefined) continue;
    late(step.late);
    await session.until(look);
    if (!isOver()) session.boot.log.notice(step.done);
  }
}
