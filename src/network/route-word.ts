/** rd.route=NETWORK/PREFIX:[GATEWAY][:INTERFACE], as dracut's route_to_var() reads it. */

import { text } from "../lib/bytes.ts";
import { familyOf, fullPrefix, networkOf, normalAddress, parsePrefix } from "./address.ts";
import { splitFields, unbracket } from "./fields.ts";
import { parseLink } from "./link-names.ts";
import type { Parsed } from "./parsed.ts";
import type { RouteWish } from "./types.ts";

/** The route that a value describes, or a sentence about what is wrong with it. */
export function parseRoute(value: string): Parsed<RouteWish> {
  const fields = splitFields(value);
  if (fields === undefined) return "an IPv6 address has to stand in [ and ], with : behind.";
  const [network = "", gateway = "", interfaceName = "", ...more] = fields;
  if (fields.length < 2 || more.length > 0) return "it has to have two or three fields.";
  const target = parseNetwork(network);
  if (typeof target === "string") return target;
  const link = parseLink(interfaceName);
  if (link === undefined && interfaceName !== "")
    return `"${text(interfaceName)}" can't be the name of an interface.`;
  const via = normalAddress(unbracket(gateway));
  if (via === undefined && gateway !== "") return `its gateway "${text(gateway)}" is no IP address.`;
  if (via === undefined && link === undefined) return "it names neither a gateway nor an interface.";
  if (via !== undefined && familyOf(via) !== target.family)
    return "its network and its gateway are of different families.";
  return { made: { ...target, gateway: via, link }, problems: [] };
}

function parseNetwork(field: string): Pick<RouteWish, "family" | "destination" | "prefix"> | string {
  const [bare = "", said, ...more] = unbracket(field).split("/");
  const address = normalAddress(bare);
  if (address === undefined || more.length > 0) return `"${text(field)}" is no network.`;
  const family = familyOf(address);
  const prefix = said === undefined ? fullPrefix(family) : parsePrefix(said, family);
  if (typeof prefix === "string") return `"${text(said ?? "")}" can't be the netmask: ${prefix}`;
  // The kernel refuses a network with bits behind its prefix.
  return { family, destination: networkOf(address, prefix), prefix };
}
