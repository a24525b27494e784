/** The loopback, which programs expect where there is a network. */

import { SysError } from "../../../syscalls/index.ts";
import { changeLink, readLinks } from "../../../syscalls/rtnetlink/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Session } from "./session.ts";

/** Switches it on; the kernel gives it its addresses then. */
export function loopbackUp({ kernel, boot }: Session): void {
  try {
    const loopback = readLinks(kernel).find(({ type }) => type === "loopback");
    if (loopback?.isUp === false) changeLink(kernel, loopback.index, { isUp: true });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    boot.log.warning(`The loopback is not up: ${describe(error)}.`);
  }
}
