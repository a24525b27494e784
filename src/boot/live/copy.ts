/** Copies an image into memory, and tells how far it is. */

import {
  MS_NODEV,
  MS_NOSUID,
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  type Syscalls,
  readTextIfThere,
  writeAll,
} from "../../../syscalls/index.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { mebibytes } from "./image.ts";
import { detachAll } from "../handover/moves.ts";
import { sayIfSlow } from "../wait.ts";

/** How much is read at a time. */
const STEP_BYTES = 4 * 2 ** 20;

/** How often it is told how far the copy is. */
const WORD_NS = 3_000_000_000n;

/** What images are filled up to. */
const PAGE_BYTES = 4096;

/** What must be free besides the image: less, and the machine would stand still. */
const SPARE_BYTES = 64 * 2 ** 20;

/** What a tmpfs needs for itself and the name of one file. */
const OVERHEAD_BYTES = 2 ** 20;

/**
 * Copies the image to a tmpfs of its own on `directory`; the path of the copy. /run would have no more room for the
 * image than half of the memory, and none for anything else then.
 * @throws UserError when it does not fit or can't be read; the tmpfs is gone then
 */
export async function copyToMemory(
  boot: Boot,
  image: { readonly path: string; readonly title: string; readonly size_bytes: number },
  directory: string,
): Promise<string> {
  const { sys, log } = boot;
  const { title, size_bytes } = image;
  const free_bytes = availableMemory(sys);
  if (free_bytes !== undefined && size_bytes + SPARE_BYTES > free_bytes)
    throw new UserError(
      `There is not enough memory for rd.live.ram: ${title} has ${mebibytes(size_bytes)}, ` +
        `and ${mebibytes(free_bytes)} of memory are free.`,
      "Boot without rd.live.ram, or give the machine more memory.",
    );
  const to = `${directory}/image`;
  try {
    const options = `mode=0755,size=${size_bytes + OVERHEAD_BYTES}`;
    sys.mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, options);
  } catch (error) {
    throw new UserError(`${directory} can't be mounted for the copy of ${title}: ${describe(error)}.`);
  }
  try {
    log.notice(`copying ${title} (${mebibytes(size_bytes)}) to memory`);
    await copy(boot, image, to);
    log.info(`copied ${title} to memory`);
    return to;
  } catch (error) {
    detachAll(sys, log, [directory]);
    if (error instanceof UserError) throw error;
    throw new UserError(`${title} can't be copied to memory: ${describe(error)}.`);
  }
}

/** What the kernel says can be used without swapping, MemAvailable of proc(5); undefined when it does not say. */
function availableMemory(sys: Syscalls): number | undefined {
  const kilobytes = /^MemAvailable: *(\d+) kB$/m.exec(readTextIfThere(sys, "/proc/meminfo") ?? "")?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function copy(
  boot: Boot,
  { path, title, size_bytes }: { readonly path: string; readonly title: string; readonly size_bytes: number },
  to: string,
): Promise<void> {
  const { sys, log } = boot;
  const from = await sys.slow.open(path, O_RDONLY | O_CLOEXEC);
  try {
    const copied = sys.open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600);
    try {
      const buffer = new Uint8Array(Math.min(STEP_BYTES, size_bytes));
      let told_ns = sys.boottime();
      for (let done = 0; done < size_bytes;) {
        const wanted = buffer.subarray(0, Math.min(buffer.length, size_bytes - done));
        const reading = sys.slow.pread(from, wanted, done);
        const count = await sayIfSlow(boot, `reading ${title}; the device does not answer yet`, reading);
        if (count === 0)
          throw new UserError(`${title} ends after ${done} of ${size_bytes} bytes.`, "Copy it again.");
        writeAll(sys, copied, wanted.subarray(0, count));
        done += count;
        const now_ns = sys.boottime();
        if (now_ns - told_ns < WORD_NS) continue;
        told_ns = now_ns;
        log.notice(`copied ${mebibytes(done)} of ${mebibytes(size_bytes)} of ${title}`);
      }
      // A loop device has whole sectors, and shows nothing of a last one that is cut.
      sys.ftruncate(copied, Math.ceil(size_bytes / PAGE_BYTES) * PAGE_BYTES);
    } finally {
      sys.close(copied);
    }
  } finally {
    sys.close(from);
  }
}
