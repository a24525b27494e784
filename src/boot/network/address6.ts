/** Addresses of IPv6 as the kernel makes and checks them (RFC 4862), and the waits for them. */

import { type LinkAddress, readAddresses } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { formatAddress } from "../../network/address.ts";
import type { PartHost, Report } from "./part.ts";

/**
 * Waits for an address of IPv6 that can be used: not one that is still being looked at, nor one that another machine has.
 * @returns its text; undefined when none came in time
 */
export function untilAddress(
  host: PartHost,
  scope: LinkAddress["scope"],
  timeout_ms: number | undefined,
): Promise<string | undefined> {
  const kind = scope === "link" ? "a link-local address" : "a router's advertisement";
  return host.session.wait({
    look: () => {
      const found = readAddresses(host.session.kernel).find(
        (one) =>
          one.link === host.link &&
          one.address.length === 16 &&
          one.scope === scope &&
          !one.isTentative &&
          !one.isDuplicate,
      );
      return found && formatAddress(found.address);
    },
    describe: () =>
      timeout_ms === undefined || host.isSpare() ? undefined : `waiting for ${kind} on ${text(host.name)}`,
    timeout_ms,
  });
}

/** Lets the kernel take advertisements in on this link, which it does by its default. @throws UserError without IPv6 */
export function listenToRouters(host: PartHost): void {
  switchOnIPv6(host);
  for (const knob of ["accept_ra", "autoconf"]) host.session.setKnob(knobOf(host, knob), "1");
}

/** @throws UserError without IPv6 */
export function switchOnIPv6(host: PartHost): void {
  if (!host.session.setKnob(knobOf(host, "disable_ipv6"), "0"))
    throw new UserError(
      `${text(host.name)} can have no address of IPv6, as the kernel has no IPv6.`,
      "ipv6.disable=1 on the kernel command line switches it off, or a module is missing.",
    );
}

function knobOf(host: PartHost, knob: string): string {
  return `/proc/sys/net/ipv6/conf/${host.name}/${knob}`;
}

/**
 * Waits until it is known whether an IPv6 address can be used: false when another machine has it (RFC 4862, section
 * 5.4), and the kernel lets nobody use it.
 */
export async function untilUnique(host: PartHost, report: Report, address: string): Promise<boolean> {
  const { session } = host;
  const name = text(host.name);
  const look = (): "free" | "taken" | undefined => {
    const found = readAddresses(session.kernel).find(
      (one) => one.link === host.link && formatAddress(one.address) === address,
    );
    // The kernel removes some of those that others have.
    if (found === undefined || found.isDuplicate) return "taken";
    return found.isTentative ? undefined : "free";
  };
  const words = (): string => `waiting to learn that ${address} is no other machine's, on ${name}`;
  const timeout_ms = session.settings.timeouts.dad_ms;
  let state = await session.wait({ look, describe: words, timeout_ms });
  if (state === undefined) {
    report(
      new UserError(
        `It is not known after ${timeout_ms / 1000} s whether ${address} is another machine's (${name}).`,
      ),
    );
    state = await session.until(look);
  }
  return state === "free";
}
