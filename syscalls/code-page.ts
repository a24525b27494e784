/** Puts the machine code into memory that can be executed, by whatever the runtime calls libc with. */

import { UserError } from "../src/lib/errors.ts";
import { machineCode } from "./machine-code.ts";

/** Arguments of machineCode().call: the number and six more. */
export const CALL_ARGUMENTS = 7;

/** sys/mman.h, as mmap(2) and mprotect(2) take them. At no time can the page be written and executed. */
export const CODE_PAGE: {
  /** prot (read, write), flags (private, anonymous), fd, offset */
  readonly map: readonly [number, number, number, number];
  /** prot (read, execute) */
  readonly protection: number;
} = { map: [1 | 2, 0x02 | 0x20, -1, 0], protection: 1 | 4 };

/** libc's functions, bound to CODE_PAGE; addresses are numbers. */
export interface Memory {
  /** -1 on failure. */
  map(length: number): number;
  copy(to: number, bytes: Uint8Array): void;
  /** 0 on success. */
  protect(address: number, length: number): number;
}

/** Addresses of the functions described in machine-code.ts. */
export interface CodePage {
  readonly call: number;
  readonly batch: number;
}

const PAGE_BYTES = 4096;

/**
 * Places the machine code for this processor; it stays for the life of the process.
 * @throws UserError when there is no code for this processor or no memory for it
 */
export function placeCode(memory: Memory): CodePage {
  const { call, batch } = machineCode();
  const page = memory.map(PAGE_BYTES);
  if (page === -1) throw new UserError("No memory could be had for the code that makes system calls.");
  memory.copy(page, Buffer.concat([call, batch]));
  if (memory.protect(page, PAGE_BYTES) !== 0)
    throw new UserError(
      "The kernel refuses to make memory executable, so no system call can be made.",
      "Look for a security policy that forbids programs to generate code (SELinux: execmem).",
    );
  return { call: page, batch: page + call.length };
}
