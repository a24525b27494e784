/** The methods of Syscalls as data, for those that stand in for the kernel. */

import { type ErrnoCode, errnoNumber, sysError } from "./errno.ts";
import type { SysError } from "./error.ts";
import type { SlowSyscalls, Syscalls } from "./types.ts";

/** A method's name: "mount", "slow.mount". */
export type Method = Exclude<keyof Syscalls, "slow"> | `slow.${keyof SlowSyscalls}`;

/** The call's name in its man page, and which argument is the path of its errors. */
interface Failure {
  readonly man: string;
  readonly path?: number;
}

/** How each method's SysError names the call: the same as linux() does. */
export const METHODS: Readonly<Record<Method, Failure>> = {
  access: { man: "access", path: 0 },
  bindNetlink: { man: "bind" },
  boottime: { man: "clock_gettime" },
  chdir: { man: "chdir", path: 0 },
  chmod: { man: "chmod", path: 0 },
  chroot: { man: "chroot", path: 0 },
  close: { man: "close" },
  closeRange: { man: "close_range" },
  deleteModule: { man: "delete_module", path: 0 },
  disposition: { man: "sigaction" },
  dup3: { man: "dup3" },
  execve: { man: "execve", path: 0 },
  fchdir: { man: "fchdir" },
  fcntl: { man: "fcntl" },
  finitModule: { man: "finit_module" },
  fstat: { man: "statx" },
  fstatfs: { man: "fstatfs" },
  ftruncate: { man: "ftruncate" },
  getTermios: { man: "ioctl" },
  getdents: { man: "getdents" },
  getpid: { man: "getpid" },
  getrlimit: { man: "getrlimit" },
  initModule: { man: "init_module" },
  ioctl: { man: "ioctl" },
  kill: { man: "kill" },
  memfd: { man: "memfd_create", path: 0 },
  mkdir: { man: "mkdir", path: 0 },
  mknod: { man: "mknod", path: 0 },
  mount: { man: "mount", path: 1 },
  open: { man: "open", path: 0 },
  openat: { man: "openat", path: 1 },
  pipe: { man: "pipe" },
  pivotRoot: { man: "pivot_root", path: 0 },
  pread: { man: "pread" },
  read: { man: "read" },
  readlink: { man: "readlink", path: 0 },
  reboot: { man: "reboot" },
  recv: { man: "recv" },
  rename: { man: "rename", path: 0 },
  resetSignal: { man: "sigaction" },
  setTermios: { man: "ioctl" },
  setrlimit: { man: "setrlimit" },
  setsockopt: { man: "setsockopt" },
  "slow.finitModule": { man: "finit_module" },
  "slow.initModule": { man: "init_module" },
  "slow.ioctl": { man: "ioctl" },
  "slow.mount": { man: "mount", path: 1 },
  "slow.open": { man: "open", path: 0 },
  "slow.peekChild": { man: "waitid" },
  "slow.poll": { man: "poll" },
  "slow.pread": { man: "pread" },
  "slow.recv": { man: "recv" },
  "slow.swapoff": { man: "swapoff", path: 0 },
  "slow.sync": { man: "sync" },
  "slow.umount": { man: "umount", path: 0 },
  socket: { man: "socket" },
  stat: { man: "statx", path: 1 },
  statfs: { man: "statfs", path: 0 },
  symlink: { man: "symlink", path: 1 },
  sync: { man: "sync" },
  umask: { man: "umask" },
  umount: { man: "umount", path: 0 },
  uname: { man: "uname" },
  unblockSignals: { man: "sigprocmask" },
  unlinkat: { man: "unlinkat", path: 1 },
  waitid: { man: "waitid" },
  write: { man: "write" },
};

/** The error with which the kernel would refuse this call. */
export function refusalOf(method: Method, args: readonly unknown[], code: ErrnoCode): SysError {
  const { man, path } = METHODS[method];
  const subject = path === undefined ? undefined : args[path];
  return sysError(man, errnoNumber(code), typeof subject === "string" ? subject : undefined);
}
