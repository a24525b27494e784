/**
 * A kernel in memory, for tests: the calls of Syscalls with the results and errors of Linux, on a
 * described machine (fake/options.ts) that can be looked at afterwards.
 *
 * It models one process, run by root, and what that process can see change: the tree of files and
 * mounts, descriptors, limits, signals, other processes, modules, netlink. What it does not model
 * (bind mounts, calls that would block for ever) throws a plain Error, so that no test passes by an
 * answer that no kernel gives.
 */

import { toBytes } from "../src/lib/bytes.ts";
import { recorded } from "./failing.ts";
import type { Directory } from "./fake/inode.ts";
import { Machine } from "./fake/machine.ts";
import { pathFrom, rootOf } from "./fake/mounts.ts";
import type { FakeOptions, FakeProcess, LoadedModule } from "./fake/options.ts";
import { post } from "./fake/peripherals.ts";
import { fakeSyscalls } from "./fake/syscalls.ts";
import type { Call } from "./intercept.ts";
import type { ChildStatus, Syscalls } from "./types.ts";

export { type Tree, attribute, device, directory, file, program, symlink } from "./fake/inode.ts";
export type {
  FakeDevice,
  FakeDisk,
  FakeMount,
  FakeOptions,
  FakeProcess,
  LoadedModule,
} from "./fake/options.ts";
export { Executed, Rebooted } from "./fake/processes.ts";

/** A mount that the process can see. */
export interface SeenMount {
  readonly path: string;
  readonly type: string;
  readonly dev: string;
  /** MS_RDONLY and so on. */
  readonly flags: number;
}

export interface FakeKernel {
  readonly sys: Syscalls;
  /** Every call so far. */
  readonly calls: readonly Call[];
  /** All of the state, for what the rest does not show. */
  readonly machine: Machine;
  readonly modules: readonly LoadedModule[];
  /** What was written to /dev/console, and each write to /dev/kmsg. */
  readonly console: string;
  readonly kmsg: readonly string[];
  /** The mounts below the root of the process, in the order of mounting. */
  mounts(): SeenMount[];
  /**
   * The paths of all files of a filesystem, whether it is still mounted or not: of the one that was at
   * "/" in the beginning by default.
   */
  files(dev?: string): string[];
  /** Nanoseconds pass. */
  advance(time_ns: bigint): void;
  spawn(process: FakeProcess): void;
  /** A process ends by itself; ours becomes a zombie. */
  exit(pid: number, status?: number, code?: ChildStatus["code"]): void;
  /** A datagram (a byte string) to all sockets that are bound to one of these groups; 1 is the kernel's uevents. */
  deliver(datagram: string, senderPort?: number, groups?: number): void;
  /** The sockets of these groups could not take what came: recv(2) says ENOBUFS once. */
  overrun(groups?: number): void;
}

/** Boots a fake machine. */
export function fakeKernel(options: FakeOptions = {}): FakeKernel {
  const machine = new Machine(options);
  const first = machine.root.mount.fs;
  return {
    ...recorded(fakeSyscalls(machine)),
    machine,
    modules: machine.modules,
    kmsg: machine.output.kmsg,
    get console() {
      return machine.output.console;
    },
    mounts: () => seenMounts(machine),
    files: (dev) => pathsBelow((dev === undefined ? first : machine.fileSystems.on(dev)).root, ""),
    advance(time_ns) {
      machine.now_ns += time_ns;
    },
    spawn: (process) => machine.processes.add(process),
    exit: (pid, status = 0, code = "exited") => machine.processes.end(pid, code, status),
    deliver: (datagram, senderPort = 0, groups = 1) =>
      post(machine, groups, { bytes: toBytes(datagram), senderPort }),
    overrun: (groups = 1) => post(machine, groups, "ENOBUFS"),
  };
}

function seenMounts(machine: Machine): SeenMount[] {
  const seen: SeenMount[] = [];
  for (const mount of machine.mounts.all) {
    const path = pathFrom(machine.root, rootOf(mount));
    if (path !== undefined) seen.push({ path, type: mount.fs.type, dev: mount.fs.dev, flags: mount.flags });
  }
  return seen;
}

function pathsBelow(directory: Directory, path: string): string[] {
  return [...directory.entries].flatMap(([name, inode]) => {
    const own = `${path}/${name}`;
    return inode.kind === "directory" ? [own, ...pathsBelow(inode, own)] : [own];
  });
}
