/** Writes the record of the boot where the real system finds it. */

import {
  O_CLOEXEC,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  type Syscalls,
  mkdirs,
  writeAll,
} from "../../../syscalls/index.ts";
import type { BootRecord } from "../../chart/record.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { isMountPoint } from "../mount/mounts.ts";
import { kernelEntries, readKernelLog } from "./kernel-log.ts";

/** The file: there only after rd.timing. */
export const timingFile = "/run/rdinit/timing.json";

/**
 * Writes what has been kept, with what comes of it: "handing over to /sbin/init". Does nothing when nothing is kept, and
 * where /run is no filesystem of its own, so that no disk is written to. Never throws.
 */
export function saveTiming({ sys, log, timing }: Boot, outcome: string): void {
  if (!timing.isOn) return;
  try {
    if (!isMountPoint(sys, "/run")) return;
    mkdirs(sys, timingFile.slice(0, timingFile.lastIndexOf("/")));
    const record = timing.record(outcome);
    if (record === undefined) return;
    const kernel = kernelEntries(readKernelLog(sys), record.init_us);
    write(sys, formatRecord({ ...record, entries: [...kernel, ...record.entries] }));
  } catch (error) {
    log.warning(`${timingFile} can't be written: ${describe(error)}.`);
  }
}

/** The record as JSON, an entry a line. */
export function formatRecord({ entries, ...head }: BootRecord): string {
  const fields = Object.entries(head).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  const lines = entries.map((entry) => `\n    ${JSON.stringify(entry)}`);
  return `{\n${fields.join("")}  "entries": [${lines.join(",")}\n  ]\n}\n`;
}

function write(sys: Syscalls, content: string): void {
  const fd = sys.open(timingFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644);
  try {
    writeAll(sys, fd, Buffer.from(content, "utf8"));
  } finally {
    sys.close(fd);
  }
}
