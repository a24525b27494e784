/** Addresses of links. linux/if_addr.h; net/ipv6/addrconf.c for what becomes of an address of IPv6. */

import { View } from "../../src/lib/bytes.ts";
import { NLM_F_CREATE_OR_REPLACE, type Rtnetlink } from "./conversation.ts";
import { joined, numberOf, packAttribute, packNumber, parseAttributes, valueOf } from "./messages.ts";

/** An address of a link. */
export interface LinkAddress {
  /** The link's index. */
  readonly link: number;
  /** 4 or 16 bytes, most significant first. */
  readonly address: Uint8Array;
  readonly prefix: number;
  /** "link" for fe80::/10, "host" for ::1 and what is like it. */
  readonly scope: "global" | "link" | "host";
  /** The kernel still looks whether another machine has it: it can't be used yet. */
  readonly isTentative: boolean;
  /** Another machine has it: it can't be used at all. */
  readonly isDuplicate: boolean;
  /** Set by a person or a program, and not by router advertisements. */
  readonly isPermanent: boolean;
  /** As the kernel describes it and takes it back: struct ifaddrmsg and its attributes. */
  readonly message: Uint8Array;
}

/** An address to be set. */
export interface NewAddress {
  readonly link: number;
  readonly address: Uint8Array;
  readonly prefix: number;
  /** The other end, of a link between two machines. */
  readonly peer?: Uint8Array | undefined;
  /** For IPv4; computed by who sets it. */
  readonly broadcast?: Uint8Array | undefined;
  /** IFA_F_NODAD: it is used at once, without a look whether another machine has it. */
  readonly withoutCheck?: boolean;
}

/** The addresses of all links, both families. @throws SysError */
export function readAddresses(kernel: Rtnetlink): LinkAddress[] {
  return kernel
    .dump(RTM_GETADDR, RTM_NEWADDR, new Uint8Array(ADDRESS_BYTES))
    .flatMap((body) => parseAddress(body) ?? []);
}

/** Reads a message about an address; undefined for what is none. Never throws. */
export function parseAddress(body: Uint8Array): LinkAddress | undefined {
  if (body.length < ADDRESS_BYTES) return undefined;
  const view = new View(body);
  const attributes = parseAttributes(body, ADDRESS_BYTES);
  // IFA_ADDRESS is the other end where there is one.
  const address = valueOf(attributes, IFA_LOCAL) ?? valueOf(attributes, IFA_ADDRESS);
  if (address === undefined || address.length !== BYTES[view.u8(0)]) return undefined;
  const flags = numberOf(attributes, IFA_FLAGS) ?? view.u8(2);
  const scope = view.u8(3);
  return {
    link: view.u32(4),
    address,
    prefix: view.u8(1),
    scope: scope === SCOPE_LINK ? "link" : scope === SCOPE_HOST ? "host" : "global",
    isTentative: (flags & IFA_F_TENTATIVE) !== 0 && (flags & IFA_F_OPTIMISTIC) === 0,
    isDuplicate: (flags & IFA_F_DADFAILED) !== 0,
    isPermanent: (flags & IFA_F_PERMANENT) !== 0,
    message: body,
  };
}

/** Sets an address; one that is there already gets these properties. @throws SysError */
export function addAddress(kernel: Rtnetlink, wanted: NewAddress): void {
  const { link, address, prefix, peer, broadcast, withoutCheck } = wanted;
  const header = new DataView(new ArrayBuffer(ADDRESS_BYTES));
  header.setUint8(0, address.length === 4 ? AF_INET : AF_INET6);
  header.setUint8(1, prefix);
  header.setUint32(4, link, true);
  const body = joined([
    new Uint8Array(header.buffer),
    packAttribute(IFA_LOCAL, address),
    packAttribute(IFA_ADDRESS, peer ?? address),
    ...(broadcast === undefined ? [] : [packAttribute(IFA_BROADCAST, broadcast)]),
    ...(withoutCheck === true ? [packNumber(IFA_FLAGS, IFA_F_NODAD)] : []),
  ]);
  kernel.change(RTM_NEWADDR, body, NLM_F_CREATE_OR_REPLACE);
}

/** @throws SysError; EADDRNOTAVAIL when it is gone */
export function removeAddress(kernel: Rtnetlink, { message }: LinkAddress): void {
  kernel.change(RTM_DELADDR, message);
}

export const AF_INET = 2;
export const AF_INET6 = 10;
/** The length of an address by its family. */
const BYTES: Readonly<Record<number, number>> = { [AF_INET]: 4, [AF_INET6]: 16 };
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const ADDRESS_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;
const IFA_F_OPTIMISTIC = 4;
const IFA_F_DADFAILED = 8;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_PERMANENT = 0x80;
const SCOPE_LINK = 253;
const SCOPE_HOST = 254;
