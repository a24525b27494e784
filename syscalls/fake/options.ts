/** How a fake kernel is described. */

import type { SlowSyscalls, Syscalls } from "../types.ts";
import type { Tree } from "./inode.ts";

/** The machine as process 1 finds it. Everything has a default: a machine with an empty rootfs. */
export interface FakeOptions {
  /** The files at "/". */
  readonly rootfs?: Tree;
  /** What is mounted at "/": "tmpfs" by default. */
  readonly rootfsType?: string;
  /**
   * Whether "/" lies on another mount, so that pivot_root(2) can exchange it: the case when the kernel
   * mounted a real root itself, and for the rootfs since Linux 7. By default it is at the bottom, and
   * pivot_root answers EINVAL.
   */
  readonly rootMovable?: boolean;
  /** What is mounted besides, in this order. The mount points must exist by then. */
  readonly mounts?: readonly FakeMount[];
  /** Filesystems on block devices, by "major:minor", that mount(2) finds by a device node. */
  readonly disks?: Readonly<Record<string, FakeDisk>>;
  /** Files of devtmpfs and sysfs, and of /proc besides those that the fake makes itself. */
  readonly devtmpfs?: Tree;
  readonly sysfs?: Tree;
  readonly proc?: Tree;
  /** What devices do, by type and number: "char 5:1". null, zero, kmsg and console are there already. */
  readonly devices?: Readonly<Record<string, FakeDevice>>;

  /** The calling process, 1 by default. */
  readonly pid?: number;
  readonly argv?: readonly string[];
  readonly env?: readonly string[];
  /** The program it runs, what /proc/self/exe leads to: "/init". */
  readonly exe?: string;
  readonly umask?: number;
  /** Signals that are not at their default, as the process starts. */
  readonly ignoredSignals?: readonly number[];
  readonly handledSignals?: readonly number[];
  readonly blockedSignals?: readonly number[];
  /** Limits that differ from no limit, by RLIMIT_*; RLIMIT_NOFILE has the kernel's default. */
  readonly limits?: Readonly<Record<number, { readonly soft: bigint; readonly hard: bigint }>>;

  /** The other processes. */
  readonly processes?: readonly FakeProcess[];
  /** What a module does when it is loaded; it may throw a SysError. */
  readonly onModule?: (module: LoadedModule) => void;
  readonly release?: string;
  /** Nanoseconds since boot. */
  readonly now_ns?: bigint;
  /** Calls that this kernel does not have: ENOSYS. */
  readonly missing?: readonly (keyof Syscalls | `slow.${keyof SlowSyscalls}`)[];
}

export interface FakeMount {
  readonly at: string;
  readonly type: string;
  readonly tree?: Tree;
  /** "major:minor"; one of `disks` is that disk's filesystem. A number of its own by default. */
  readonly dev?: string;
  readonly source?: string;
  /** MS_RDONLY and so on. */
  readonly flags?: number;
}

export interface FakeDisk {
  readonly type: string;
  readonly tree?: Tree;
}

export interface FakeDevice {
  /** Bytes from a position on; fewer or none at the end. */
  read?(length: number, offset: number): Uint8Array;
  write?(bytes: Uint8Array): void;
  ioctl?(request: number, argument: Uint8Array | number): number;
  readonly terminal?: boolean;
}

export interface FakeProcess {
  readonly pid: number;
  /** 1 by default. */
  readonly ppid?: number;
  /** comm, at most 15 bytes. */
  readonly name: string;
  /** Empty for a kernel thread. */
  readonly argv?: readonly string[];
  readonly kernelThread?: boolean;
  /** Signals that do nothing to it; SIGKILL among them makes it one that is stuck in the kernel. */
  readonly ignores?: readonly number[];
}

/** A module as finit_module(2) or init_module(2) got it. */
export interface LoadedModule {
  /** What its modinfo section says: "name=". */
  readonly name: string | undefined;
  readonly image: Uint8Array;
  readonly parameters: string;
  readonly flags: number;
}
