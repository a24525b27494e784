/** System calls under Bun. The only file that imports bun:ffi. */

import { CFunction, FFIType, type Pointer, dlopen, ptr } from "bun:ffi";
import { UserError, describe } from "../src/lib/errors.ts";
import { CALL_ARGUMENTS, CODE_PAGE, type CodePage, placeCode } from "./code-page.ts";
import type { Argument, Driver } from "./driver.ts";
import { threadCalls } from "./threads.ts";

/** The blocking calls' threads need next to no stack; libc takes the program's thread-local data from it. */
const STACK_BYTES = 256 * 1024;
/** sizeof(pthread_attr_t) of glibc on every architecture is at most this. */
const THREAD_ATTRIBUTES_BYTES = 64;
const PTHREAD_CREATE_DETACHED = 1;

/**
 * The driver for Bun, compiled binaries included.
 * @throws UserError when libc can't be reached or the code can't be placed in memory
 */
export function bunDriver(): Driver {
  const libc = openLibc();
  const page = placeCode({
    map: (length) => Number(libc.mmap(null, length, ...CODE_PAGE.map)),
    copy: (to, bytes) => void libc.memcpy(to, ptr(bytes), bytes.byteLength),
    protect: (address, length) => libc.mprotect(address, length, CODE_PAGE.protection),
  });
  const raw = CFunction({
    ptr: page.call as Pointer,
    args: Array.from({ length: CALL_ARGUMENTS }, () => FFIType.i64_fast),
    returns: FFIType.i64_fast,
  });
  const something = new Uint8Array(1);
  // A buffer whose address is in a register is known to the kernel alone. Here it stays in sight of
  // the garbage collector until the next call.
  const inUse: Argument[] = [0, 0, 0, 0, 0, 0];

  const register = (argument: Argument): number | bigint => {
    if (typeof argument === "number") return argument;
    if (argument === null) return 0;
    if (typeof argument === "bigint") return argument;
    return ptr(argument.byteLength === 0 ? something : argument);
  };
  const call: Driver["call"] = (nr, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0) => {
    inUse[0] = a0;
    inUse[1] = a1;
    inUse[2] = a2;
    inUse[3] = a3;
    inUse[4] = a4;
    inUse[5] = a5;
    const result: number | bigint = raw(
      nr,
      register(a0),
      register(a1),
      register(a2),
      register(a3),
      register(a4),
      register(a5),
    );
    return Number(result); // a bigint when it is beyond 2^53
  };
  // Bun moves the bytes of a small typed array when its ArrayBuffer is first asked for. Asking before
  // the address is taken keeps them where they are for as long as the array lives.
  const address = (buffer: Uint8Array): number =>
    buffer.byteLength === 0 ? ptr(something) : ptr(buffer.buffer, buffer.byteOffset);
  const callSlow = threadCalls({ call, address, startThread: threadStarter(libc, page) });
  return { name: "bun:ffi", call, callSlow, address };
}

type Libc = ReturnType<typeof openLibc>;

function openLibc() {
  try {
    const { i32, i64_fast, ptr: pointer, u64_fast } = FFIType;
    return dlopen("libc.so.6", {
      mmap: { args: [pointer, u64_fast, i32, i32, i32, i64_fast], returns: i64_fast },
      mprotect: { args: [i64_fast, u64_fast, i32], returns: i32 },
      memcpy: { args: [i64_fast, pointer, u64_fast], returns: i64_fast },
      pthread_attr_init: { args: [pointer], returns: i32 },
      pthread_attr_setdetachstate: { args: [pointer, i32], returns: i32 },
      pthread_attr_setstacksize: { args: [pointer, u64_fast], returns: i32 },
      pthread_create: { args: [pointer, pointer, i64_fast, i64_fast], returns: i32 },
    }).symbols;
  } catch (error) {
    throw new UserError(
      `The C library libc.so.6 can't be used: ${describe(error)}.`,
      "Run this with the glibc build of Bun.",
    );
  }
}

/** pthread_create(3) of a detached thread that works through the records at an address; 0 or an errno. */
function threadStarter(libc: Libc, page: CodePage): (records: number) => number {
  let attributes: Uint8Array | undefined;
  const id = new Uint8Array(8);
  return (records) => {
    if (attributes === undefined) {
      attributes = new Uint8Array(THREAD_ATTRIBUTES_BYTES);
      libc.pthread_attr_init(ptr(attributes));
      libc.pthread_attr_setdetachstate(ptr(attributes), PTHREAD_CREATE_DETACHED);
      libc.pthread_attr_setstacksize(ptr(attributes), STACK_BYTES);
    }
    return libc.pthread_create(ptr(id), ptr(attributes), page.batch, records);
  };
}
