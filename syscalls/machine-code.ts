/**
 * The machine code by which system calls are made.
 *
 * libc's syscall(2) answers -1 and leaves the reason in a variable that other code of the process
 * may change before JavaScript reads it. These few instructions return the kernel's own answer, -errno
 * included, so that an errno is exact by construction.
 */

import { UserError } from "../src/lib/errors.ts";

/** Position-independent code, without relocations. */
export interface MachineCode {
  /**
   * `long call(long nr, long a0, long a1, long a2, long a3, long a4, long a5)` in the platform's C
   * convention: makes the system call and returns the kernel's result.
   */
  readonly call: Uint8Array;
  /**
   * `void *batch(struct record *first)`, the start routine of a thread: makes the calls of an array of
   * records one after the other. Each record is eight 64-bit words: nr, a0 to a5, and `more`. Where
   * `more` is not 0 the result is stored in its place and the next record follows; where it is 0 this
   * was the last call, and nothing is read or written after it. (A terminating record would have to be
   * read after the last call, when the records may be gone: that call tells their owner that all is done.)
   */
  readonly batch: Uint8Array;
}

/** By process.arch; an instruction to each line, in hexadecimal. */
const CODE: Readonly<Record<string, Readonly<Record<keyof MachineCode, readonly string[]>>>> = {
  // The C convention passes arguments in rdi, rsi, rdx, rcx, r8, r9 and on the stack; the kernel takes
  // the number in rax, arguments in rdi, rsi, rdx, r10, r8, r9, and destroys rcx and r11 (syscall(2)).
  x64: {
    call: [
      "4889f8", //     mov  rax, rdi
      "4889f7", //     mov  rdi, rsi
      "4889d6", //     mov  rsi, rdx
      "4889ca", //     mov  rdx, rcx
      "4d89c2", //     mov  r10, r8
      "4d89c8", //     mov  r8, r9
      "4c8b4c2408", // mov  r9, [rsp+8]
      "0f05", //       syscall
      "c3", //         ret
    ],
    batch: [
      "53", //         push rbx
      "4154", //       push r12
      "4889fb", //     mov  rbx, rdi
      "488b03", //     mov  rax, [rbx]        next:
      "488b7b08", //   mov  rdi, [rbx+8]
      "488b7310", //   mov  rsi, [rbx+16]
      "488b5318", //   mov  rdx, [rbx+24]
      "4c8b5320", //   mov  r10, [rbx+32]
      "4c8b4328", //   mov  r8, [rbx+40]
      "4c8b4b30", //   mov  r9, [rbx+48]
      "4c8b6338", //   mov  r12, [rbx+56]
      "0f05", //       syscall
      "4d85e4", //     test r12, r12
      "740a", //       jz   done
      "48894338", //   mov  [rbx+56], rax
      "4883c340", //   add  rbx, 64
      "ebd0", //       jmp  next
      "31c0", //       xor  eax, eax          done:
      "415c", //       pop  r12
      "5b", //         pop  rbx
      "c3", //         ret
    ],
  },
};

/**
 * The code for the processor that this program runs on.
 * @throws UserError when there is none
 */
export function machineCode(arch: string = process.arch): MachineCode {
  const code = CODE[arch];
  if (code === undefined)
    throw new UserError(
      `System calls can't be made on the processor architecture "${arch}": no machine code is written for it.`,
      `Architectures that work: ${Object.keys(CODE).join(", ")}.`,
    );
  return { call: assembled(code.call), batch: assembled(code.batch) };
}

function assembled(instructions: readonly string[]): Uint8Array {
  return Buffer.from(instructions.join(""), "hex");
}
