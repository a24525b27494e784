/**
 * The one interface between rdinit and the kernel.
 *
 * Every method either does what its man page (section 2) says or throws a SysError. Paths and
 * names are byte strings (src/lib/bytes.ts). Nothing outside this folder sees a -1, an errno
 * number, a pointer or a struct.
 */

/** An open file descriptor. */
export type Fd = number;

/** What stat(2) calls a file's type. */
export type FileType = "file" | "directory" | "symlink" | "block" | "char" | "fifo" | "socket";

/** statx(2), the fields in use. `mountId` is undefined on kernels older than 5.8. */
export interface Stat {
  readonly type: FileType;
  /** Permission bits with setuid, setgid and sticky, without the type. */
  readonly mode: number;
  readonly size: number;
  readonly ino: bigint;
  /** Device that holds the file, as "major:minor". */
  readonly dev: string;
  /** Device that a block or char node stands for, as "major:minor"; "0:0" for other files. */
  readonly rdev: string;
  readonly mountId: bigint | undefined;
}

/** One name in a directory. The type is "unknown" where the filesystem does not say. */
export interface DirEntry {
  readonly name: string;
  readonly type: FileType | "unknown";
}

/** statfs(2): the magic of the filesystem (linux/magic.h). */
export interface StatFs {
  readonly type: number;
}

/** A resource limit (getrlimit(2)); RLIM_INFINITY is 2n ** 64n - 1n. */
export interface Rlimit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** What became of a child (waitid(2)). */
export interface ChildStatus {
  readonly pid: number;
  /** CLD_EXITED: the exit status; CLD_KILLED or CLD_DUMPED: the signal. */
  readonly code: "exited" | "killed" | "dumped";
  readonly status: number;
}

/** uname(2). */
export interface Utsname {
  readonly release: string;
  readonly machine: string;
}

/** Disposition of a signal as far as exec keeps it. */
export type Disposition = "default" | "ignored" | "handled";

/** A datagram from a netlink socket. */
export interface Datagram {
  readonly bytes: Uint8Array;
  /** Port of the sender: 0 is the kernel. */
  readonly senderPort: number;
}

/** How the machine is left (reboot(2)). */
export type RebootAction = "restart" | "halt" | "power_off";

/** The same, or the kernel that was loaded for it is started (kexec_load(2)). */
export type LastAction = RebootAction | "kexec";

export interface Syscalls {
  // -- files
  open(path: string, flags: number, mode?: number): Fd;
  openat(dir: Fd, path: string, flags: number, mode?: number): Fd;
  close(fd: Fd): void;
  /** Bytes read; 0 at the end of the file. */
  read(fd: Fd, buffer: Uint8Array): number;
  pread(fd: Fd, buffer: Uint8Array, offset: number): number;
  /** Bytes written, which may be fewer than asked. */
  write(fd: Fd, bytes: Uint8Array): number;
  ftruncate(fd: Fd, length: number): void;
  /** The next names of an open directory without . and ..; empty at its end. */
  getdents(dir: Fd): DirEntry[];
  /** statx(2) of `path` below `dir` (AT_FDCWD for the working directory); flags AT_*. */
  stat(dir: Fd, path: string, flags?: number): Stat;
  fstat(fd: Fd): Stat;
  statfs(path: string): StatFs;
  fstatfs(fd: Fd): StatFs;
  readlink(path: string): string;
  mkdir(path: string, mode: number): void;
  mknod(path: string, type: "block" | "char" | "fifo" | "socket", mode: number, rdev: string): void;
  symlink(target: string, path: string): void;
  rename(from: string, to: string): void;
  /** flags: 0 for a file, AT_REMOVEDIR for a directory. */
  unlinkat(dir: Fd, path: string, flags: number): void;
  chmod(path: string, mode: number): void;
  access(path: string, mode: number): void;
  umask(mask: number): number;
  dup3(from: Fd, to: Fd, flags: number): void;
  /** F_GETFD and friends: commands with an integer argument and an integer result. */
  fcntl(fd: Fd, command: number, argument: number): number;
  /** close_range(2); flags CLOSE_RANGE_CLOEXEC or 0. */
  closeRange(first: Fd, last: Fd, flags: number): void;
  pipe(flags: number): { read: Fd; write: Fd };
  memfd(name: string, flags: number): Fd;
  sync(): void;

  // -- the file tree of the process
  chdir(path: string): void;
  fchdir(fd: Fd): void;
  chroot(path: string): void;
  mount(source: string, target: string, type: string, flags: number, data: string): void;
  umount(target: string, flags: number): void;
  pivotRoot(newRoot: string, putOld: string): void;

  // -- processes
  getpid(): number;
  kill(pid: number, signal: number): void;
  /** waitid(2) for any child (`pid` 0) or that one; undefined when WNOHANG is set and none has changed. */
  waitid(pid: number, options: number): ChildStatus | undefined;
  /** Never returns on success. argv and env are byte strings. */
  execve(path: string, argv: readonly string[], env: readonly string[]): never;
  getrlimit(resource: number, pid?: number): Rlimit;
  setrlimit(resource: number, limit: Rlimit): void;
  disposition(signal: number): Disposition;
  /** SIG_DFL for one signal. */
  resetSignal(signal: number): void;
  /** The blocked set becomes empty. */
  unblockSignals(): void;
  uname(): Utsname;
  /** Nanoseconds since boot, suspended time included (CLOCK_BOOTTIME). */
  boottime(): bigint;
  reboot(action: LastAction): void;

  // -- kernel modules
  finitModule(fd: Fd, parameters: string, flags: number): void;
  initModule(image: Uint8Array, parameters: string): void;
  deleteModule(name: string, flags: number): void;

  // -- netlink
  socket(domain: number, type: number, protocol: number): Fd;
  bindNetlink(fd: Fd, groups: number): void;
  setsockopt(fd: Fd, level: number, option: number, value: number): void;
  /** The next datagram, or undefined when MSG_DONTWAIT is set and none waits. */
  recv(fd: Fd, flags: number): Datagram | undefined;

  // -- terminal (termios(3), the kernel's struct)
  getTermios(fd: Fd): Uint8Array;
  setTermios(fd: Fd, termios: Uint8Array): void;

  /** An ioctl whose argument is a buffer that the kernel fills or reads. Returns its value. */
  ioctl(fd: Fd, request: number, argument: Uint8Array | number): number;

  // -- calls that may block for long: done on a thread of their own, the promise settles as the call does
  readonly slow: SlowSyscalls;
}

/** The blocking calls of Syscalls, off the main thread. */
export interface SlowSyscalls {
  finitModule(fd: Fd, parameters: string, flags: number): Promise<void>;
  initModule(image: Uint8Array, parameters: string): Promise<void>;
  mount(source: string, target: string, type: string, flags: number, data: string): Promise<void>;
  open(path: string, flags: number, mode?: number): Promise<Fd>;
  pread(fd: Fd, buffer: Uint8Array, offset: number): Promise<number>;
  recv(fd: Fd): Promise<Datagram>;
  /** Those of `fds` that can be read without waiting, or have ended or failed; waits until there is one (poll(2)). */
  poll(fds: readonly Fd[]): Promise<Fd[]>;
  umount(target: string, flags: number): Promise<void>;
  swapoff(path: string): Promise<void>;
  sync(): Promise<void>;
  ioctl(fd: Fd, request: number, argument: Uint8Array | number): Promise<number>;
  /** The next child that has exited, left unreaped (WEXITED | WNOWAIT). */
  peekChild(): Promise<ChildStatus>;
}
