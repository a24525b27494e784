/** The address of a server. */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { isIpv4, isIpv6 } from "./host.ts";

/**
 * The numbers of a server: its own when that is what it is named by.
 * @throws UserError when its name leads to none
 */
export async function findAddress(
  _boot: Boot,
  server: string,
  _nameservers: readonly string[],
): Promise<string> {
  if (isIpv4(server) || isIpv6(server)) return server;
  throw new UserError(`The server ${text(server)} is named, and names can't be looked up.`);
}
