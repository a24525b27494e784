/** mdadm.conf(5) cut down to what an image needs; storage/mdadm-conf.ts reads it. */

import { type ConfLine, plainUuid, readMdadmConf, tagged } from "../../storage/mdadm-conf.ts";

/**
 * The lines of `content` that matter where arrays are put together: those that say which devices and arrays there
 * are and what may be done with them, as they stand there. Of the ARRAY and SYSFS lines those go that name another
 * UUID than `wanted` (any spelling; all stay where it is undefined), but for the containers that wanted ones are
 * members of, and arrays that are to be ignored. What is for the monitor goes: MAILADDR, MAILFROM, PROGRAM,
 * MONITORDELAY; and comments.
 */
export function reduceMdadmConf(content: string, wanted: readonly string[] | undefined): string {
  const lines = readMdadmConf(content).filter(
    ({ keyword }) => keyword === undefined || !MONITOR.has(keyword),
  );
  const uuids = wanted && withContainers(lines, wanted.map(plainUuid));
  const kept = lines.filter(({ keyword, words }) => {
    if (uuids === undefined || (keyword !== "array" && keyword !== "sysfs")) return true;
    const uuid = tagged(words, "uuid");
    return uuid === undefined || words[1] === "<ignore>" || uuids.has(plainUuid(uuid));
  });
  return kept.map(({ text }) => text).join("");
}

const MONITOR: ReadonlySet<string> = new Set(["mailaddr", "mailfrom", "program", "monitordelay"]);

// A member names its container by UUID, or by a path that says nothing of it.
function withContainers(lines: readonly ConfLine[], wanted: readonly string[]): ReadonlySet<string> {
  const uuids = new Set(wanted);
  for (const { words } of lines) {
    const container = tagged(words, "container");
    if (container !== undefined && uuids.has(plainUuid(tagged(words, "uuid") ?? "")))
      uuids.add(plainUuid(container));
  }
  return uuids;
}
