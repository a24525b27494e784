/** What mdadm.conf(5) in the image says of an array: its name, and whether it is to be put together at all. */

import { type ConfLine, plainUuid, readMdadmConf, tagged } from "../../storage/mdadm-conf.ts";
import type { MdArray } from "./md-arrays.ts";

export interface MdConf {
  /** The device of the ARRAY line that means this array: "/dev/md0", "/dev/md/root". */
  readonly deviceOf: (array: MdArray) => string | undefined;
  /**
   * False when an ARRAY line says <ignore>, or when no line means it and AUTO forbids it. Arrays without a line are
   * put together otherwise, as `mdadm --incremental` does it, which all initramfs tools run.
   */
  readonly allows: (array: MdArray) => boolean;
}

/** The files of a configuration, byte strings, in the order in which mdadm reads them. */
export function readMdConf(files: readonly string[]): MdConf {
  const lines = files.flatMap(readMdadmConf);
  const ofArrays = lines.filter(({ keyword }) => keyword === "array");
  const lineOf = (array: MdArray): ConfLine | undefined => ofArrays.find(({ words }) => means(words, array));
  const auto = lines.find(({ keyword }) => keyword === "auto")?.words.slice(1) ?? [];
  const host = lines.find(({ keyword }) => keyword === "homehost")?.words[1];
  return {
    deviceOf: (array) => deviceOf(lineOf(array)),
    allows: (array) => {
      const line = lineOf(array);
      return line === undefined ? autoAllows(auto, array, host) : line.words[1]?.toLowerCase() !== "<ignore>";
    },
  };
}

// All identities that a line names must be the array's; one that names only devices tells nothing before a look.
function means(words: readonly string[], array: MdArray): boolean {
  const uuid = tagged(words, "uuid");
  const name = tagged(words, "name");
  const minor = tagged(words, "super-minor");
  return (
    (uuid ?? name ?? minor) !== undefined &&
    (uuid === undefined || plainUuid(uuid) === array.uuid) &&
    (name === undefined || name === array.label || name === withoutHost(array.label)) &&
    (minor === undefined || Number(minor) === array.minor)
  );
}

// The device is the first word that is no tag; a bare name is one below /dev/md.
function deviceOf(line: ConfLine | undefined): string | undefined {
  const device = line?.words.slice(1).find((word) => word.startsWith("/") || !word.includes("="));
  if (device === undefined || device.startsWith("<")) return undefined;
  const path = device.startsWith("/") ? device : `/dev/md/${device}`;
  return /^\/dev\/(md\d+|md\/[A-Za-z0-9_.][A-Za-z0-9_.-]*|md_[A-Za-z0-9_.-]+)$/.test(path) ? path : undefined;
}

function autoAllows(words: readonly string[], array: MdArray, host: string | undefined): boolean {
  for (const word of words.map((one) => one.toLowerCase())) {
    const [sign, what] = /^[+-]/.test(word) ? [word[0], word.slice(1)] : ["+", word];
    if (what === "no") return false;
    if (what === "yes") return true;
    const matches =
      what === "all" ||
      what === array.metadata ||
      (what === "1.x" && array.metadata.startsWith("1")) ||
      (what === "homehost" && host !== undefined && array.label?.startsWith(`${host}:`) === true);
    if (matches) return sign === "+";
  }
  return true;
}

/** The name of an array without the host that made it: "host:root" is "root". */
export function withoutHost(label: string | undefined): string | undefined {
  return label?.slice(label.indexOf(":") + 1);
}
