/** Kernel uevents as values. Follows lib/kobject_uevent.c and Documentation/ABI (the uevent files of sysfs). */

/** One event about one device. */
export interface Uevent {
  /** add, remove, change, move, online, offline, bind or unbind. */
  readonly action: string;
  /** The device's path below /sys, beginning with a slash. */
  readonly devpath: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Reads one netlink datagram; undefined when it isn't a kernel uevent (udev's own begin with "libudev"). */
export function parseUevent(datagram: string): Uevent | undefined {
  const [header, ...fields] = datagram.split("\0");
  const at = header?.indexOf("@") ?? -1;
  if (header === undefined || at <= 0) return undefined;
  const values = parseFields(fields);
  const action = values.get("ACTION");
  const devpath = values.get("DEVPATH");
  if (action !== header.slice(0, at) || devpath !== header.slice(at + 1)) return undefined;
  return { action, devpath, values };
}

/** Reads a device's `uevent` file in sysfs: one KEY=value a line. */
export function parseUeventFile(content: string): Map<string, string> {
  return parseFields(content.split("\n"));
}

function parseFields(fields: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const field of fields) {
    const equals = field.indexOf("=");
    if (equals > 0) values.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return values;
}
