/** The methods of ip=: by which protocol an interface gets its addresses. */

import { text } from "../lib/bytes.ts";
import { nearest } from "../lib/nearest.ts";
import type { Method } from "./types.ts";

export interface Methods {
  readonly methods: readonly Method[];
  /** Stop asking on other interfaces when one has answered. */
  readonly isSingle: boolean;
  /** True when the word says that there is to be none. */
  readonly isNone: boolean;
  /** DHCP option 61. */
  readonly clientId: { readonly type: number; readonly value: string } | undefined;
}

/**
 * Reads a method, or several with commas between them. The kernel's `dhcp,TYPE,VALUE` holds a client identifier. Empty
 * is the default, DHCP. Undefined when there is no such method; BOOTP and RARP are none, as no client speaks them.
 */
export function parseMethods(source: string): Methods | undefined {
  const identified = /^dhcp,(\d{1,3}|0x[0-9a-f]{1,2}),([^]{1,251})$/i.exec(source);
  if (identified !== null) {
    const [, type = "", value = ""] = identified;
    return Number(type) > 255
      ? undefined
      : { methods: ["dhcp"], isSingle: false, isNone: false, clientId: { type: Number(type), value } };
  }
  const words = source === "" ? ["dhcp"] : source.split(",");
  const found = words.map((word) => METHODS.get(word));
  if (found.includes(undefined)) return undefined;
  const methods = [...new Set(found.filter((one) => one !== undefined && one !== "none"))];
  return {
    methods,
    isSingle: words.includes("single-dhcp"),
    isNone: methods.length === 0,
    clientId: undefined,
  };
}

/** A sentence about a text that parseMethods() does not take. */
export function unknownMethod(source: string): string {
  const words = source.split(",");
  const unknown = words.find((word) => !METHODS.has(word)) ?? source;
  const meant = nearest(unknown, [...METHODS.keys()]);
  return `there is no method "${text(unknown)}".${meant === undefined ? "" : ` Did you mean ${meant}?`}`;
}

/** Every word, and what it means. */
const METHODS: ReadonlyMap<string, Method | "none"> = new Map([
  ["none", "none"],
  ["off", "none"],
  ["static", "none"],
  ["dhcp", "dhcp"],
  ["dhcp4", "dhcp"],
  ["on", "dhcp"],
  ["any", "dhcp"],
  ["single-dhcp", "dhcp"],
  ["dhcp6", "dhcp6"],
  ["auto6", "auto6"],
  ["either6", "either6"],
  ["link6", "link6"],
  ["link-local", "link-local"],
  ["ibft", "ibft"],
]);
