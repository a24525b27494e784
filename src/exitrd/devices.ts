/** The block devices that are put together from others, as sysfs shows them, and which of them nothing stands on. */

import { type Syscalls, list } from "../../syscalls/index.ts";
import { namesIn, readAttribute } from "../boot/devices/attributes.ts";
import { text } from "../lib/bytes.ts";
import { oldName } from "./filesystems.ts";

/** A block device that can be taken apart. */
export interface Composed {
  /** As the kernel calls it: "md0", "dm-1". */
  readonly name: string;
  readonly kind: "mapping" | "array" | "loop";
  /** "major:minor" */
  readonly rdev: string;
  /** What it is to people: "the encrypted volume root". */
  readonly title: string;
  /** What stands on it, or on one of its partitions, by the kernel's names. */
  readonly holders: readonly string[];
}

/**
 * All of them that are in use, in the order of their names. Arrays that are stopped and loop devices without a file
 * are not.
 * @throws SysError when /sys can't be read
 */
export function composedDevices(sys: Syscalls): Composed[] {
  return list(sys, "/sys/block").flatMap(({ name }) => {
    const found = read(sys, name);
    return found === undefined ? [] : [found];
  });
}

/** Those that nothing stands on: what can be taken apart next. */
export function uppermost(devices: readonly Composed[]): Composed[] {
  return devices.filter(({ holders }) => holders.length === 0);
}

/** All of them, each behind what stands on it. */
export function fromTheTop(devices: readonly Composed[]): Composed[] {
  const ordered: Composed[] = [];
  for (let rest = [...devices]; rest.length > 0;) {
    const below = (one: Composed): boolean => rest.some(({ name }) => one.holders.includes(name));
    const next = rest.filter((one) => !below(one));
    // A ring is nothing that the kernel makes; should it ever, it is listed as it came.
    ordered.push(...(next.length > 0 ? next : rest));
    rest = next.length > 0 ? rest.filter(below) : [];
  }
  return ordered;
}

/** What a mapping is, by the prefix that its maker gave its UUID (libdevmapper, libcryptsetup, LVM, multipath). */
export function titleOfMapping(name: string, uuid: string): string {
  const [, words = "the mapping"] = MAKERS.find(([prefix]) => uuid.startsWith(prefix)) ?? [];
  return `${words} ${text(name)}`;
}

const MAKERS: readonly (readonly [prefix: string, words: string])[] = [
  ["CRYPT-", "the encrypted volume"],
  ["LVM-", "the logical volume"],
  ["mpath-", "the multipath device"],
  ["part", "the partition"],
];

function read(sys: Syscalls, name: string): Composed | undefined {
  const directory = `/sys/block/${name}`;
  const attribute = (path: string): string | undefined => readAttribute(sys, `${directory}/${path}`);
  const rdev = attribute("dev");
  const kind = KINDS.find(({ sign }) => attribute(sign) !== undefined);
  if (rdev === undefined || kind === undefined || !kind.isUsed(attribute(kind.sign) ?? "")) return undefined;
  return {
    name,
    kind: kind.kind,
    rdev,
    title: kind.title(name, attribute),
    holders: holdersOf(sys, directory, name),
  };
}

interface Kind {
  readonly kind: Composed["kind"];
  /** The file in the device's directory that no other kind has. */
  readonly sign: string;
  readonly isUsed: (content: string) => boolean;
  readonly title: (name: string, attribute: (path: string) => string | undefined) => string;
}

const KINDS: readonly Kind[] = [
  {
    kind: "mapping",
    sign: "dm/name",
    isUsed: () => true,
    title: (name, attribute) => titleOfMapping(attribute("dm/name") ?? name, attribute("dm/uuid") ?? ""),
  },
  {
    kind: "array",
    sign: "md/array_state",
    isUsed: (state) => state !== "clear",
    title: (name) => `the array ${text(name)}`,
  },
  {
    kind: "loop",
    sign: "loop/backing_file",
    isUsed: () => true,
    title: (name, attribute) =>
      `the loop device ${text(name)} (${oldName(attribute("loop/backing_file") ?? "")})`,
  },
];

function holdersOf(sys: Syscalls, directory: string, name: string): string[] {
  // A partition's directory has the name of its disk in front.
  const partitions = namesIn(sys, directory).filter((entry) => entry.startsWith(name));
  return [directory, ...partitions.map((entry) => `${directory}/${entry}`)].flatMap((place) =>
    namesIn(sys, `${place}/holders`),
  );
}
