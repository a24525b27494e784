/**
 * System calls under Node.js, by node-ffi-napi. The only file that imports it: it crashes Bun.
 *
 * It exists so that the calls can be checked against a second, unrelated way of making them.
 */

import ffi from "node-ffi-napi";
import { CALL_ARGUMENTS, CODE_PAGE, placeCode } from "./code-page.ts";
import type { Argument, Driver } from "./driver.ts";

/**
 * The driver for Node.js. Its `callSlow` blocks.
 * @throws UserError when the code can't be placed in memory
 */
export function napiDriver(): Driver {
  const libc = ffi.Library(null, {
    mmap: ["longlong", ["longlong", "size_t", "int", "int", "int", "longlong"]],
    mprotect: ["int", ["longlong", "size_t", "int"]],
  });
  // memmove(3) answers its first argument: with no bytes to move, that is all it does. Declared in two
  // ways it tells a buffer's address, and makes a buffer that stands for one.
  const { memmove: addressOf } = ffi.Library(null, {
    memmove: ["longlong", ["pointer", "pointer", "size_t"]],
  }) as unknown as { memmove(to: Buffer, from: Buffer, length: 0): number | string };
  const { memmove: pointerTo } = ffi.Library(null, {
    memmove: ["pointer", ["longlong", "pointer", "size_t"]],
  });
  const something = Buffer.alloc(1);
  const page = placeCode({
    map: (length) => Number(libc.mmap(0, length, ...CODE_PAGE.map)),
    copy: (to, bytes) => void pointerTo(to, bufferOver(bytes), bytes.byteLength),
    protect: (at, length) => libc.mprotect(at, length, CODE_PAGE.protection),
  });
  const raw = ffi.ForeignFunction(
    pointerTo(page.call, something, 0),
    "longlong",
    Array.from({ length: CALL_ARGUMENTS }, () => "longlong"),
  );

  const address = (buffer: Uint8Array): number => {
    const bytes = buffer.byteLength === 0 ? something : bufferOver(buffer);
    return Number(addressOf(bytes, bytes, 0));
  };
  // Integers go as decimal strings, which lose nothing.
  const register = (argument: Argument): string => {
    if (argument === null) return "0";
    return String(typeof argument === "object" ? address(argument) : argument);
  };
  // A buffer whose address is in a register is known to the kernel alone: kept here while it is.
  const inUse = new Set<readonly Argument[]>();
  const call: Driver["call"] = (nr, ...args) => {
    inUse.add(args);
    const registers = Array.from({ length: CALL_ARGUMENTS - 1 }, (_, i) => register(args[i] ?? 0));
    const result = Number(raw(String(nr), ...registers));
    inUse.delete(args);
    return result;
  };
  return { name: "node-ffi-napi", call, callSlow: async (nr, ...args) => call(nr, ...args), address };
}

/** The same bytes as a Buffer; asking for the ArrayBuffer keeps V8 from moving them. */
function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
