/** What the kernel's own log tells of its time before /init. */

import {
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  SysError,
  type Syscalls,
  isErrno,
} from "../../../syscalls/index.ts";
import type { Entry } from "../../chart/record.ts";
import { fromBytes, text } from "../../lib/bytes.ts";

/** All records that the kernel still has, the oldest first; none where its log can't be read. */
export function readKernelLog(sys: Syscalls): string[] {
  try {
    const fd = sys.open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    try {
      return readRecords(sys, fd);
    } finally {
      sys.close(fd);
    }
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}

/**
 * What took the kernel time, as records of /dev/kmsg tell it ("6,339,5140900,-;words": the third is microseconds,
 * Documentation/ABI/testing/dev-kmsg): unpacking the initramfs, and with initcall_debug each call of a millisecond and
 * more. The log's clock is set to the other by the line that tells of /init.
 */
export function kernelEntries(records: readonly string[], init_us: number): Entry[] {
  const lines = records.flatMap((record) => {
    const match = /^\d+,\d+,(\d+),[^;]*;([^\n]*)/.exec(record);
    return match === null ? [] : [{ at_us: Number(match[1]), words: text(match[2] ?? "") }];
  });
  const start = lines.findIndex(({ words }) => /^Run \/\S+ as init process/.test(words));
  if (start < 0) return [];
  const offset_us = init_us - (lines[start]?.at_us ?? 0);
  const before = lines.slice(0, start).map(({ at_us, words }) => ({ at_us: at_us + offset_us, words }));
  return [...unpacking(before), ...before.flatMap(initcall)].filter(({ from_us }) => from_us >= 0);
}

interface Line {
  readonly at_us: number;
  readonly words: string;
}

// do_populate_rootfs() in init/initramfs.c, and free_reserved_area() in mm/page_alloc.c.
function unpacking(lines: readonly Line[]): Entry[] {
  const from = lines.find(({ words }) =>
    /^(?:Trying to unpack rootfs image as initramfs|Unpacking initramfs)/.test(words),
  );
  const to = lines.find(({ words }) => words.startsWith("Freeing initrd memory"));
  if (from === undefined || to === undefined || to.at_us < from.at_us) return [];
  return [{ lane: "kernel", name: "unpacking the initramfs", from_us: from.at_us, to_us: to.at_us }];
}

// trace_initcall_finish_cb() in init/main.c.
function initcall({ at_us, words }: Line): Entry[] {
  const match = /^initcall (\S+?)\+\S+ (?:\[\S+\] )?returned (-?\d+) after (\d+) usecs/.exec(words);
  const [, name = "", status = "0", long_us = "0"] = match ?? [];
  if (Number(long_us) < 1000) return [];
  const entry: Entry = { lane: "kernel", name, from_us: at_us - Number(long_us), to_us: at_us };
  return [status === "0" ? entry : { ...entry, note: `returned ${status}` }];
}

// CONSOLE_EXT_LOG_MAX of the kernel's printk_internal header.
const longestRecord_bytes = 8192;

function readRecords(sys: Syscalls, fd: number): string[] {
  const records: string[] = [];
  const buffer = new Uint8Array(longestRecord_bytes);
  // The kernel logs on meanwhile, but not for ever.
  while (records.length < MOST_RECORDS) {
    try {
      const count = sys.read(fd, buffer);
      if (count === 0) return records;
      records.push(fromBytes(buffer.subarray(0, count)));
    } catch (error) {
      if (isErrno(error, "EAGAIN")) return records;
      // Records were overwritten before they were read; the next read gets the oldest that is left.
      if (!isErrno(error, "EPIPE")) throw error;
    }
  }
  return records;
}

const MOST_RECORDS = 50_000;
