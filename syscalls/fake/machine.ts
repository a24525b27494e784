/** The state of the fake kernel and of the one process that calls it. */

import { AT_FDCWD, ECHO, ICANON, ISIG, O_RDWR, RLIMIT_NOFILE, RLIM_INFINITY } from "../constants.ts";
import { SIZE } from "../struct.ts";
import type { Disposition, Fd, Rlimit } from "../types.ts";
import { type Output, builtInDevices } from "./devices.ts";
import { FileSystems } from "./filesystems.ts";
import { type FileSystem, type Inode, type Tree, device } from "./inode.ts";
import { type Mount, MountTable, type Position, rootOf } from "./mounts.ts";
import type { Descriptor, OpenFile } from "./open-file.ts";
import type { FakeDevice, FakeOptions, LoadedModule } from "./options.ts";
import { ProcessTable } from "./process-table.ts";
import { procTree, showProcesses } from "./procfs.ts";
import { refuse } from "./refusal.ts";
import { type Found, walk } from "./walk.ts";

const LIMITS = 16;
/** What the kernel gives process 1 (INR_OPEN_CUR, INR_OPEN_MAX in linux/fs.h). */
const OPEN_FILES: Rlimit = { soft: 1024n, hard: 4096n };

export class Machine {
  readonly options: FakeOptions;
  readonly fileSystems: FileSystems;
  readonly mounts = new MountTable();
  readonly processes: ProcessTable;
  readonly output: Output = { console: "", kmsg: [] };
  readonly devices: Readonly<Record<string, FakeDevice>>;
  readonly modules: LoadedModule[] = [];
  now_ns: bigint;
  /** The terminal's settings, the kernel's struct termios. */
  termios = newTermios();
  /** The program that the process runs. */
  readonly exe: Position | undefined;

  root: Position;
  cwd: Position;
  umask: number;
  private readonly anonymous: Mount;
  readonly fds = new Map<Fd, Descriptor>();
  readonly limits: Rlimit[];
  readonly dispositions = new Map<number, Disposition>();
  readonly blocked: Set<number>;

  constructor(options: FakeOptions) {
    this.options = options;
    const { pid = 1, rootfs = {}, rootfsType = "tmpfs", rootMovable = false, disks = {} } = options;
    this.fileSystems = new FileSystems(disks);
    this.processes = new ProcessTable(pid, options.processes ?? []);
    this.devices = { ...builtInDevices(this.output), ...options.devices };
    this.now_ns = options.now_ns ?? 1_000_000_000n;
    this.umask = options.umask ?? 0o022;
    this.limits = Array.from({ length: LIMITS }, (_, resource) => {
      const other = resource === RLIMIT_NOFILE ? OPEN_FILES : { soft: RLIM_INFINITY, hard: RLIM_INFINITY };
      return options.limits?.[resource] ?? other;
    });
    for (const signal of options.ignoredSignals ?? []) this.dispositions.set(signal, "ignored");
    for (const signal of options.handledSignals ?? []) this.dispositions.set(signal, "handled");
    this.blocked = new Set(options.blockedSignals);

    const { fileSystems: systems, mounts } = this;
    const { root: proc } = systems.given("proc", { ...procTree(this), ...options.proc });
    proc.refresh = () => showProcesses(this, proc);
    systems.given("sysfs", options.sysfs ?? {});
    systems.given("devtmpfs", { ...deviceNodes(), ...options.devtmpfs });
    this.anonymous = { id: 0, fs: systems.given("anonymous", {}), source: "none", flags: 0, at: undefined };
    const below = rootMovable
      ? rootOf(mounts.add(systems.given("nullfs", {}), undefined, "none"))
      : undefined;
    this.root = rootOf(mounts.add(systems.given(rootfsType, rootfs), below, "none"));
    this.cwd = this.root;
    for (const { at, type, tree = {}, dev, source = type, flags = 0 } of options.mounts ?? []) {
      const place = this.placeIfThere(at);
      if (place === undefined) throw new Error(`the fake machine has no ${at} to mount ${type} on`);
      mounts.add(systems.given(type, tree, dev), place, source, flags);
    }
    this.exe = this.placeIfThere(options.exe ?? "/init");
    this.openConsole();
  }

  /** What a path leads to; undefined when it leads nowhere. */
  placeIfThere(path: string): Position | undefined {
    try {
      return this.place(path);
    } catch {
      return undefined;
    }
  }

  /** Where a path leads, or would. */
  find(path: string, follow = true, dir: Fd = AT_FDCWD): Found {
    const relative = dir !== AT_FDCWD && !path.startsWith("/");
    return walk(this, relative ? this.descriptor(dir).file.position : this.cwd, path, follow);
  }

  /** What a path leads to. */
  place(path: string, follow = true, dir: Fd = AT_FDCWD): Position {
    return this.find(path, follow, dir).target ?? refuse("ENOENT");
  }

  descriptor(fd: Fd): Descriptor {
    return this.fds.get(fd) ?? refuse("EBADF");
  }

  deviceOf(inode: Inode): FakeDevice | undefined {
    return "rdev" in inode ? this.devices[`${inode.kind} ${inode.rdev}`] : undefined;
  }

  /** A place for files that have none in the tree: pipes, sockets and such. */
  nowhere(make: (fs: FileSystem) => Inode): Position {
    return { mount: this.anonymous, inode: make(this.anonymous.fs) };
  }

  /** Gives an open file the lowest free descriptor. */
  install(file: OpenFile, closeOnExec: boolean, from = 0): Fd {
    let fd = from;
    while (this.fds.has(fd)) fd += 1;
    if (BigInt(fd) >= (this.limits[RLIMIT_NOFILE] ?? OPEN_FILES).soft) refuse("EMFILE");
    this.fds.set(fd, { file, closeOnExec });
    return fd;
  }

  // console_on_rootfs() in init/main.c
  private openConsole(): void {
    const position = this.placeIfThere("/dev/console");
    if (position === undefined) return;
    const file: OpenFile = { kind: "node", position, flags: O_RDWR, offset: 0 };
    for (let count = 0; count < 3; count++) this.install(file, false);
  }
}

function deviceNodes(): Tree {
  return {
    console: device("char", "5:1"),
    kmsg: device("char", "1:11", 0o644),
    null: device("char", "1:3", 0o666),
    zero: device("char", "1:5", 0o666),
  };
}

// Line mode, echo and signals from keys, as a terminal starts: c_lflag is the fourth word.
function newTermios(): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE.termios));
  view.setUint32(12, ECHO | ICANON | ISIG, true);
  return new Uint8Array(view.buffer);
}
