/** Questions to a name server and its answers, as bytes: RFC 1035, and RFC 3596 for IPv6. */

import { View, fromBytes, toBytes } from "../../lib/bytes.ts";
import { formatAddress } from "../../network/address.ts";

/** What is asked for: A or AAAA. */
export type Family = 4 | 6;

export interface DnsAnswer {
  /** Addresses, in the order of the answer. */
  readonly addresses: readonly string[];
  /** RCODE; 0 is no error, 3 says that there is no such name. */
  readonly code: number;
}

const TYPES = { 4: 1, 6: 28 } as const;
const CLASS_IN = 1;

/** The question for a name, a byte string; undefined when it can be none (RFC 1035, 2.3.4). */
export function encodeQuestion(id: number, name: string, family: Family): Uint8Array | undefined {
  const labels = name.replace(/\.$/, "").split(".");
  if (labels.some((label) => label === "" || label.length > 63)) return undefined;
  const coded = labels.map((label) => String.fromCharCode(label.length) + label).join("");
  if (coded.length > 254) return undefined;
  // A question, to be answered in full: RD.
  const header = [id >> 8, id & 0xff, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...toBytes(coded), 0, 0, TYPES[family], 0, CLASS_IN]);
}

/** The answer to the question that `question` holds; undefined for bytes that are none, or another's. */
export function decodeAnswer(bytes: Uint8Array, question: Uint8Array): DnsAnswer | undefined {
  try {
    return decode(new View(bytes), new View(question));
  } catch (error) {
    // It ends before its end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function decode(view: View, question: View): DnsAnswer | undefined {
  const flags = view.u16be(2);
  const isAnswer = (flags & 0x8000) !== 0;
  if (!isAnswer || view.u16be(0) !== question.u16be(0) || view.u16be(4) !== 1) return undefined;
  // Names are the same whatever their case, and servers may change it.
  const asked = fromBytes(question.slice(12, question.length - 12)).toLowerCase();
  if (fromBytes(view.slice(12, question.length - 12)).toLowerCase() !== asked) return undefined;
  const type = question.u16be(question.length - 4);
  const addresses: string[] = [];
  let at = question.length;
  for (let left = view.u16be(6); left > 0; left--) {
    at = skipName(view, at);
    const [kind, cls, length] = [view.u16be(at), view.u16be(at + 2), view.u16be(at + 8)];
    // The names of aliases (CNAME) lead to those with addresses, all in the one answer.
    if (kind === type && cls === CLASS_IN) addresses.push(...readAddress(view.slice(at + 10, length)));
    at += 10 + length;
  }
  return { addresses, code: flags & 0xf };
}

// A pointer ends a name (RFC 1035, 4.1.4); nothing is followed.
function skipName(view: View, start: number): number {
  let at = start;
  for (;;) {
    const length = view.u8(at);
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
    if (length === 0) return at;
  }
}

function readAddress(bytes: Uint8Array): string[] {
  return bytes.length === 4 || bytes.length === 16 ? [formatAddress(bytes)] : [];
}
