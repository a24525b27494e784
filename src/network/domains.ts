/** Names of domains and hosts. */

/** True for a name that is fit for resolv.conf(5) and sethostname(2): RFC 1123 section 2.1, with _ besides. */
export function isDomain(name: string): boolean {
  return name.length <= 253 && NAME.test(name);
}

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`, "i");
