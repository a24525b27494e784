/**
 * Wakes a hibernated system: its image lies in swap, and the kernel takes it from there.
 *
 * This has to come before anything is mounted or checked: a filesystem that changed since the system went to sleep
 * is destroyed by its return (kernel, Documentation/power/swsusp.rst).
 */

import { O_CLOEXEC, O_WRONLY, SysError, type Syscalls, exists, writeAll } from "../../syscalls/index.ts";
import { text, toBytes } from "../lib/bytes.ts";
import { describe } from "../lib/errors.ts";
import type { BlockDevice } from "./devices/blockdevice.ts";
import type { BlockDevices } from "./devices/blockdevices.ts";
import { type Word, sameName } from "./cmdline/cmdline.ts";
import type { Boot } from "./context.ts";
import { type DeviceRef, describeRef, parseDeviceRef } from "./devices/deviceref.ts";
import { findOpened } from "./devices/finddevice.ts";
import type { Layers } from "./storage/layer.ts";
import { sayIfSlow } from "./wait.ts";
import { waitForDevices } from "./devices/wait-devices.ts";

export interface ResumeSettings {
  /** The device that holds the image; undefined when none is named or noresume is. */
  readonly device: DeviceRef | undefined;
  /** Where a swap file begins on it, in pages; undefined for a device that is swap itself. */
  readonly offset: number | undefined;
}

export const resumeParameters = [
  {
    name: "resume",
    usage: "resume=DEVICE",
    meaning: "the swap that may hold a hibernated system, named as root= names a device",
  },
  {
    name: "resume_offset",
    usage: "resume_offset=PAGES",
    meaning: "where a swap file begins on the device that resume= names",
  },
  {
    name: "noresume",
    usage: "noresume",
    meaning: "do not wake a hibernated system, start afresh; the kernel's hibernate=noresume says the same",
  },
] as const;

/** Complaints are sentences. */
export function readResumeSettings(words: readonly Word[]): {
  settings: ResumeSettings;
  complaints: string[];
} {
  let device: DeviceRef | undefined;
  let offset: number | undefined;
  const complaints: string[] = [];
  for (const { name, value = "" } of words) {
    if (sameName(name, "resume")) {
      // Distributions write an empty one, or "none", into their boot loaders.
      const ref = value === "" || value === "none" ? undefined : parseDeviceRef(value);
      if (typeof ref === "string") complaints.push(`resume= is ignored: ${ref}`);
      else device = ref;
    } else if (sameName(name, "resume_offset")) {
      if (/^\d{1,15}$/.test(value)) offset = Number(value);
      else complaints.push(`resume_offset=${text(value)} is ignored: it is not a number of pages.`);
    }
  }
  if (words.some(isRefusal)) device = undefined;
  return { settings: { device, offset }, complaints };
}

// hibernate= is the kernel's (hibernate_setup() in kernel/power/hibernate.c), which forgets it as soon as it is given a device.
function isRefusal({ name, value }: Word): boolean {
  return (
    sameName(name, "noresume") || (sameName(name, "hibernate") && (value === "noresume" || value === "no"))
  );
}

const control = "/sys/power/resume";
const offsetControl = "/sys/power/resume_offset";

/** How long to wait for the swap when rd.timeout=0 waits for the root for ever: it may be gone for good. */
const longest_ms = 30_000;

/** Wakes a hibernated system once in a boot: when it is tried again, something may have been mounted meanwhile. */
export class Resume {
  private tried = false;

  /** Returns when there is none, or when it could not be woken, and has said so. Never throws. */
  async attempt(boot: Boot, devices: BlockDevices, layers: Layers): Promise<void> {
    if (this.tried) return;
    this.tried = true;
    const { settings } = readResumeSettings(boot.words);
    if (settings.device === undefined) return;
    try {
      await resume(boot, devices, layers, settings.device, settings.offset);
    } catch (error) {
      boot.log.warning(`no hibernated system is woken: ${describe(error)}.`);
    }
  }
}

async function resume(
  boot: Boot,
  devices: BlockDevices,
  layers: Layers,
  ref: DeviceRef,
  offset: number | undefined,
): Promise<void> {
  const { sys, log } = boot;
  if (!exists(sys, control)) {
    log.warning("resume= is of no use: this kernel can't hibernate (it lacks CONFIG_HIBERNATION).");
    return;
  }
  if ((await findOpened(sys, devices, ref)) === undefined) layers.need?.(ref);
  const found = await waitForDevices(boot, devices, layers, {
    what: () => `${describeRef(ref)}, which may hold a hibernated system`,
    look: () => findOpened(sys, devices, ref),
    timeout_ms: boot.options.deviceTimeout_ms ?? longest_ms,
  });
  if (found === undefined) {
    log.warning(`${describeRef(ref)} of resume= did not appear; starting afresh.`);
    return;
  }
  if (await mayHoldImage(boot, found.device, offset)) wake(boot, found.device, offset);
}

/** Whether the kernel is to look: in a file it finds the image by itself, on a device the signature tells. */
async function mayHoldImage(boot: Boot, device: BlockDevice, offset: number | undefined): Promise<boolean> {
  if (offset !== undefined) return true;
  const contents = await sayIfSlow(
    boot,
    `reading what is on ${device.node}; it does not answer yet`,
    device.contents(),
  );
  const type = contents.found?.type;
  if (type === "swsuspend") return true;
  if (type === "swap") boot.log.info(`${device.node} holds no hibernated system.`);
  else
    boot.log.warning(
      `${device.node} of resume= is no swap${type === undefined ? "" : `, but ${text(type)}`}; starting afresh.`,
    );
  return false;
}

function wake({ sys, log }: Boot, { node, rdev }: BlockDevice, offset: number | undefined): void {
  log.notice(
    offset === undefined
      ? `waking the hibernated system on ${node}`
      : `looking for a hibernated system on ${node}, from page ${offset}`,
  );
  try {
    if (offset !== undefined) writeAttribute(sys, offsetControl, `${offset}`);
    // When there is one and all goes well, this never returns.
    writeAttribute(sys, control, rdev);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    log.warning(`the system on ${node} can't be woken: ${describe(error)}. Starting afresh.`);
    return;
  }
  // A file without an image is the common case; an image that the kernel did not take is lost.
  const words = `the kernel found no hibernated system on ${node} that it could wake; starting afresh.`;
  if (offset === undefined) log.warning(words);
  else log.info(words);
}

// One write, without making the file: it is an attribute of sysfs.
function writeAttribute(sys: Syscalls, path: string, value: string): void {
  const fd = sys.open(path, O_WRONLY | O_CLOEXEC);
  try {
    writeAll(sys, fd, toBytes(value));
  } finally {
    sys.close(fd);
  }
}
