/**
 * Keeps a way back: this program in /run/initramfs, as systemd's INITRD_INTERFACE.md has it.
 *
 * When /run/initramfs/shutdown is there, systemd-shutdown makes that directory the root again in the end and executes
 * it (src/exitrd). Nothing else is kept, as it needs no tools. /run is in memory, and so is what is kept there: as much
 * as the size of this program, which the kernel may move out to swap.
 */

import {
  AT_FDCWD,
  type Fd,
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  SysError,
  type Syscalls,
  exists,
  mkdirs,
  readText,
  writeAll,
} from "../../../syscalls/index.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Word } from "../cmdline/cmdline.ts";
import type { Boot } from "../context.ts";
import { readSwitchWord } from "../cmdline/switch-word.ts";

/** As the help and the README show it (subsystems.ts). */
export const exitrdParameters = [
  {
    name: "rd.exitrd",
    usage: "rd.exitrd[=0|1]",
    meaning:
      "keep rdinit in /run/initramfs: at shutdown systemd goes back to it, and it takes arrays, volumes and encryption apart (default 0)",
  },
] as const;

/** The last word counts. Complaints are sentences. */
export function readExitrdSettings(words: readonly Word[]): { keep: boolean; complaints: string[] } {
  const { on, complaints } = readSwitchWord(words, exitrdParameters[0], false);
  return { keep: on, complaints };
}

/** Where systemd looks for it. */
const directory = "/run/initramfs";
const kept = `${directory}/shutdown`;

/** What must be left of the memory, so that the copy does not take the system's first breath. */
const reserve_bytes = 64 * 1024 * 1024;

/** Copies this program there when the boot is asked to. Never throws: it is for the end, and the boot goes on. */
export function keepExitrd({ sys, log, words }: Boot): void {
  if (!readExitrdSettings(words).keep) return;
  try {
    if (exists(sys, kept)) return;
    const size = copySelf(sys);
    log.info(`${kept} is kept for the end of the system, ${Math.round(size / 1e6)} MB of memory`);
  } catch (error) {
    if (!(error instanceof SysError || error instanceof UserError)) throw error;
    log.warning(`nothing is kept for the end of the system, as rd.exitrd asks: ${describe(error)}.`);
  }
}

// Made under another name, so that half of it is never taken for it.
function copySelf(sys: Syscalls): number {
  mkdirs(sys, directory);
  const half = `${directory}/.shutdown`;
  try {
    const size = copyFile(sys, "/proc/self/exe", half);
    sys.chmod(half, 0o755);
    sys.rename(half, kept);
    return size;
  } catch (error) {
    if (exists(sys, half)) sys.unlinkat(AT_FDCWD, half, 0);
    throw error;
  }
}

function copyFile(sys: Syscalls, from: string, to: string): number {
  const source = sys.open(from, O_RDONLY | O_CLOEXEC);
  try {
    const { size } = sys.fstat(source);
    checkMemory(sys, size);
    const target = sys.open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o700);
    try {
      copyBytes(sys, source, target);
    } finally {
      sys.close(target);
    }
    return size;
  } finally {
    sys.close(source);
  }
}

function copyBytes(sys: Syscalls, source: Fd, target: Fd): void {
  const buffer = new Uint8Array(1024 * 1024);
  for (let got = sys.read(source, buffer); got > 0; got = sys.read(source, buffer))
    writeAll(sys, target, buffer.subarray(0, got));
}

function checkMemory(sys: Syscalls, size: number): void {
  const [, kib] = /^MemAvailable: *(\d+) kB$/m.exec(readText(sys, "/proc/meminfo")) ?? [];
  if (kib === undefined || Number(kib) * 1024 >= size + reserve_bytes) return;
  throw new UserError(
    `${mib(Number(kib) * 1024)} of memory are free, and it takes ${mib(size)} with ${mib(reserve_bytes)} to spare`,
  );
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
