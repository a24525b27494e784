/** One way to get between a caller and any Syscalls, for the decorators. */

import type { Method } from "./methods.ts";
import type { Syscalls } from "./types.ts";

/** A call about to be made. */
export interface Call {
  readonly name: Method;
  readonly args: readonly unknown[];
}

/**
 * Runs in place of a method. `proceed` makes the call; what `around` returns or throws is what the
 * caller gets. The result of a slow method is its promise.
 */
export type Around = (call: Call, proceed: () => unknown) => unknown;

/** The same Syscalls with `around` about every method. Calls that its methods make of each other are not seen. */
export function intercept(sys: Syscalls, around: Around): Syscalls {
  return wrap(sys, "", around);
}

function wrap<T extends object>(target: T, prefix: string, around: Around): T {
  const wrapped = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(_, key) {
      if (!wrapped.has(key)) wrapped.set(key, wrapMember(target, key, prefix, around));
      return wrapped.get(key);
    },
  });
}

function wrapMember(target: object, key: PropertyKey, prefix: string, around: Around): unknown {
  const member: unknown = Reflect.get(target, key);
  const name = `${prefix}${String(key)}`;
  if (typeof member === "object" && member !== null) return wrap(member, `${name}.`, around);
  if (typeof member !== "function") return member;
  return (...args: unknown[]) =>
    around({ name: name as Method, args }, () => Reflect.apply(member, target, args));
}
