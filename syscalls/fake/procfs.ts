/** What the fake kernel shows in /proc, proc(5). */

import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../constants.ts";
import { fileSystemList } from "./filesystems.ts";
import {
  type Directory,
  Entry,
  type FileSystem,
  type Tree,
  attribute,
  link,
  newDirectory,
  newSymlink,
} from "./inode.ts";
import type { Machine } from "./machine.ts";
import { type Mount, pathFrom, rootOf } from "./mounts.ts";
import type { Process } from "./process-table.ts";

/** linux/sched.h: in the ninth field of stat. */
const PF_KTHREAD = 0x00200000;

const MOUNT_WORDS: readonly (readonly [number, string])[] = [
  [MS_NOSUID, "nosuid"],
  [MS_NODEV, "nodev"],
  [MS_NOEXEC, "noexec"],
];

/** The files of /proc that don't come and go. */
export function procTree(machine: Machine): Tree {
  return {
    filesystems: attribute(fileSystemList),
    self: new Entry((fs) => newSymlink(fs, String(machine.processes.self))),
    mounts: new Entry((fs) => newSymlink(fs, "self/mounts")),
  };
}

/** Brings the directories of the processes up to date. */
export function showProcesses(machine: Machine, proc: Directory): void {
  const { all, self } = machine.processes;
  for (const name of proc.entries.keys())
    if (/^\d+$/.test(name) && !all.has(Number(name)) && Number(name) !== self) proc.entries.delete(name);
  show(proc, String(self), () => ownFiles(machine));
  for (const process of all.values()) show(proc, String(process.pid), () => filesOf(process));
}

function show(proc: Directory, name: string, files: () => Tree): void {
  if (!proc.entries.has(name)) link(proc, name, newDirectory(proc.fs, 0o555, files()));
}

function filesOf(process: Process): Tree {
  const { pid, name, argv, kernelThread } = process;
  const state = () => (process.ended === undefined ? "S" : "Z");
  const flags = kernelThread ? PF_KTHREAD : 0;
  return {
    cmdline: attribute(() => (kernelThread || process.ended !== undefined ? "" : strings(argv))),
    comm: attribute(() => `${name}\n`),
    stat: attribute(() => `${pid} (${name}) ${state()} ${process.ppid} ${pid} ${pid} 0 -1 ${flags} 0 0\n`),
  };
}

function ownFiles(machine: Machine): Tree {
  const { options, processes } = machine;
  const { argv = ["/init"], env = [], exe = "/init" } = options;
  return {
    cmdline: attribute(() => strings(argv)),
    comm: attribute(() => "rdinit\n"),
    environ: attribute(() => strings(env)),
    exe: new Entry((fs) => newSymlink(fs, exe, () => machine.exe)),
    fd: new Entry((fs) => descriptorDirectory(machine, fs)),
    mountinfo: attribute(() => visibleMounts(machine, mountinfoLine)),
    mounts: attribute(() => visibleMounts(machine, mountsLine)),
    stat: attribute(() => `${processes.self} (rdinit) R 0 0 0 0 -1 0 0 0\n`),
  };
}

function strings(list: readonly string[]): string {
  return list.map((string) => `${string}\0`).join("");
}

function descriptorDirectory(machine: Machine, fs: FileSystem): Directory {
  const made = newDirectory(fs, 0o500);
  made.refresh = () => {
    made.entries.clear();
    for (const [fd, { file }] of machine.fds) {
      const position = file.kind === "node" ? file.position : undefined;
      const target = (position && pathFrom(machine.root, position)) ?? `${file.kind}:[${fd}]`;
      made.entries.set(
        String(fd),
        newSymlink(fs, target, () => position),
      );
    }
  };
  return made;
}

type Line = (mount: Mount, path: string, words: string) => string;

function visibleMounts(machine: Machine, line: Line): string {
  const lines = machine.mounts.all.map((mount) => {
    const path = pathFrom(machine.root, rootOf(mount));
    if (path === undefined) return "";
    const words = MOUNT_WORDS.filter(([flag]) => (mount.flags & flag) !== 0).map(([, word]) => word);
    return line(mount, escaped(path), [(mount.flags & MS_RDONLY) === 0 ? "rw" : "ro", ...words].join(","));
  });
  return lines.join("");
}

const mountinfoLine: Line = ({ id, fs, at, source }, path, words) =>
  `${id} ${at?.mount.id ?? id} ${fs.dev} / ${path} ${words} - ${fs.type} ${escaped(source)} rw\n`;

const mountsLine: Line = ({ fs, source }, path, words) =>
  `${escaped(source)} ${path} ${fs.type} ${words} 0 0\n`;

function escaped(path: string): string {
  return path.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
