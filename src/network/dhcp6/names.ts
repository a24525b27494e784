/** Domain names as bytes, without compression: RFC 1035 section 3.1, as DHCPv6 has them (RFC 8415 section 10). */

import { fromBytes, toBytes } from "../../lib/bytes.ts";
import { isDomain } from "../domains.ts";

/** The names in a row of bytes; undefined when they are cut short. Those that are fit for no file are left out. */
export function parseNames(bytes: Uint8Array): string[] | undefined {
  const names: string[] = [];
  let labels: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at] ?? 0;
    // 63 is the longest; what is more has another meaning in DNS.
    if (length > 63 || at + 1 + length > bytes.length) return undefined;
    if (length > 0) labels.push(fromBytes(bytes.subarray(at + 1, at + 1 + length)));
    if (length === 0 && labels.length > 0) {
      names.push(labels.join("."));
      labels = [];
    }
    at += 1 + length;
  }
  // A host name may stand without its domain, and without an end (RFC 4704 section 4.2).
  if (labels.length > 0) names.push(labels.join("."));
  return names.filter(isDomain);
}

/** The bytes of names that isDomain() takes. */
export function packNames(names: readonly string[]): Uint8Array {
  return Uint8Array.from(
    names.flatMap((name) => [
      ...name
        .replace(/\.$/, "")
        .split(".")
        .flatMap((label) => [label.length, ...toBytes(label)]),
      0,
    ]),
  );
}
