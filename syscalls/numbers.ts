/** Numbers of the system calls in use. */

import { UserError } from "../src/lib/errors.ts";

/** asm/unistd_64.h. Where the kernel has a variant that ends in "at", it alone is used: newer architectures lack the other. */
const X64 = {
  bind: 49,
  chdir: 80,
  chroot: 161,
  clock_gettime: 228,
  close: 3,
  close_range: 436,
  delete_module: 176,
  dup3: 292,
  execve: 59,
  faccessat: 269,
  fchdir: 81,
  fchmodat: 268,
  fcntl: 72,
  finit_module: 313,
  fstatfs: 138,
  ftruncate: 77,
  getdents64: 217,
  getpid: 39,
  init_module: 175,
  ioctl: 16,
  kill: 62,
  memfd_create: 319,
  mkdirat: 258,
  mknodat: 259,
  mount: 165,
  openat: 257,
  pipe2: 293,
  pivot_root: 155,
  poll: 7,
  pread64: 17,
  prlimit64: 302,
  read: 0,
  readlinkat: 267,
  reboot: 169,
  recvfrom: 45,
  renameat2: 316,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  sendto: 44,
  setsockopt: 54,
  socket: 41,
  socketpair: 53,
  statfs: 137,
  statx: 332,
  swapoff: 168,
  symlinkat: 266,
  sync: 162,
  umask: 95,
  umount2: 166,
  uname: 63,
  unlinkat: 263,
  waitid: 247,
  write: 1,
} as const;

/** The kernel's name of a system call in use. */
export type SyscallName = keyof typeof X64;

export type SyscallNumbers = Readonly<Record<SyscallName, number>>;

/** By process.arch. Others differ in constants.ts and struct.ts too, so a number is not enough. */
const NUMBERS: Readonly<Record<string, SyscallNumbers>> = { x64: X64 };

/**
 * The numbers for the processor architecture that this program runs on.
 * @throws UserError when there are none
 */
export function syscallNumbers(arch: string = process.arch): SyscallNumbers {
  const numbers = NUMBERS[arch];
  if (numbers === undefined)
    throw new UserError(
      `The system call numbers of the processor architecture "${arch}" are not known.`,
      `Architectures that work: ${Object.keys(NUMBERS).join(", ")}.`,
    );
  return numbers;
}
