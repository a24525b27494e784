/** What an array's device is called. */

import type { MdArray } from "./md-arrays.ts";
import { type MdConf, withoutHost } from "./md-conf.ts";

/**
 * The device that an array is to get: what its line in mdadm.conf says, else the name that it was given when it was
 * made. mdadm gives arrays of other hosts names like md127 and root_0, and in an initramfs, which has no host name
 * yet, all are of other hosts; here the name counts whatever the host is, unless it is taken.
 * @param isTaken whether there is such a device, or a link of this name
 */
export function chooseName(array: MdArray, conf: MdConf, isTaken: (path: string) => boolean): string {
  const wanted = [conf.deviceOf(array) ?? [], givenNames(array), numbers()].flat();
  return wanted.find((path) => !isTaken(path)) ?? "/dev/md127";
}

/** The characters that mdadm allows since version 4.3: those of file names in POSIX. */
const PORTABLE = /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,31}$/;

// A name may be anything that was on a disk.
function givenNames(array: MdArray): string[] {
  if (array.minor !== undefined) return numbered(array.minor);
  const name = withoutHost(array.label);
  if (name === undefined || !PORTABLE.test(name) || /^\.+$/.test(name)) return [];
  if (/^\d+$/.test(name)) return numbered(Number(name));
  return [`/dev/md/${name}`, ...Array.from({ length: 10 }, (_, at) => `/dev/md/${name}_${at}`)];
}

// A minor number has twenty bits.
function numbered(minor: number): string[] {
  return minor < 2 ** 20 ? [`/dev/md${minor}`] : [];
}

function numbers(): string[] {
  return Array.from({ length: 128 }, (_, at) => `/dev/md${127 - at}`);
}
