/** Messages of rtnetlink(7) and their attributes, taken apart and put together: linux/netlink.h, linux/rtnetlink.h. */

import { View, toCString } from "../../src/lib/bytes.ts";

/** A message of netlink(7). */
export interface Message {
  /** RTM_*, or one of netlink's own. */
  readonly type: number;
  /** NLM_F_*. */
  readonly flags: number;
  /** The number of the request that it answers; 0 for what nobody asked for. */
  readonly sequence: number;
  /** What follows the header: a struct and its attributes. */
  readonly body: Uint8Array;
}

/** An attribute (struct rtattr): its type without the bits that say how it is packed, and its value. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Takes a datagram apart; what is cut short at its end is passed over. Never throws. */
export function parseMessages(datagram: Uint8Array): Message[] {
  const view = new View(datagram);
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= view.length;) {
    const length = view.u32(at);
    if (length < HEADER_BYTES || at + length > view.length) break;
    messages.push({
      type: view.u16(at + 4),
      flags: view.u16(at + 6),
      sequence: view.u32(at + 8),
      body: view.slice(at + HEADER_BYTES, length - HEADER_BYTES),
    });
    at += aligned(length);
  }
  return messages;
}

/** A message with its header. */
export function packMessage({ type, flags, sequence, body }: Message): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/** The attributes from `offset` on; what is cut short at the end is passed over. Never throws. */
export function parseAttributes(body: Uint8Array, offset = 0): Attribute[] {
  const view = new View(body);
  const attributes: Attribute[] = [];
  for (let at = offset; at + ATTRIBUTE_BYTES <= view.length;) {
    const length = view.u16(at);
    if (length < ATTRIBUTE_BYTES || at + length > view.length) break;
    const value = view.slice(at + ATTRIBUTE_BYTES, length - ATTRIBUTE_BYTES);
    attributes.push({ type: view.u16(at + 2) & TYPE_MASK, value });
    at += aligned(length);
  }
  return attributes;
}

/** The value of the first attribute of this type. */
export function valueOf(attributes: readonly Attribute[], type: number): Uint8Array | undefined {
  return attributes.find((attribute) => attribute.type === type)?.value;
}

/** Of an attribute that holds a number of 32 bits; undefined when it is missing or too short. */
export function numberOf(attributes: readonly Attribute[], type: number): number | undefined {
  const value = valueOf(attributes, type);
  return value === undefined || value.length < 4 ? undefined : new View(value).u32(0);
}

/** Of an attribute that holds a byte string; "" when it is missing. */
export function stringOf(attributes: readonly Attribute[], type: number): string {
  const value = valueOf(attributes, type);
  return value === undefined ? "" : new View(value).string(0, value.length);
}

/** An attribute, padded to four bytes. */
export function packAttribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(ATTRIBUTE_BYTES + value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ATTRIBUTE_BYTES + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, ATTRIBUTE_BYTES);
  return bytes;
}

/** An attribute that holds others. */
export function packNested(type: number, attributes: readonly Uint8Array[]): Uint8Array {
  return packAttribute(type | NLA_F_NESTED, joined(attributes));
}

export function packNumber(type: number, value: number): Uint8Array {
  return packAttribute(type, new Uint8Array(Uint32Array.of(value).buffer));
}

export function packShort(type: number, value: number): Uint8Array {
  return packAttribute(type, new Uint8Array(Uint16Array.of(value).buffer));
}

/** A byte string with its NUL. */
export function packString(type: number, value: string): Uint8Array {
  return packAttribute(type, toCString(value));
}

/** A struct and its attributes; the struct's length is a multiple of four. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

const HEADER_BYTES = 16;
const ATTRIBUTE_BYTES = 4;
const NLA_F_NESTED = 0x8000;
/** NLA_TYPE_MASK: the two highest bits say that others are inside, and the byte order. */
const TYPE_MASK = 0x3fff;
