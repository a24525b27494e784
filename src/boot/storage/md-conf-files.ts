/** Where mdadm.conf(5) lies in the image. */

import { type Syscalls, exists, list, readTextIfThere } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";

/**
 * What mdadm would read: the first file that is there, Debian's place before the others', then the files in the
 * directories beside them (mdadm's config.c, load_conffile()). Byte strings; what can't be read is told.
 */
export function readMdConfFiles({ sys, log }: Boot): string[] {
  try {
    const first = MAIN.map((path) => readTextIfThere(sys, path)).find((content) => content !== undefined);
    const more = MORE.flatMap((directory) => namesIn(sys, directory).map((name) => `${directory}/${name}`));
    return [first, ...more.map((path) => readTextIfThere(sys, path))].filter(
      (content) => content !== undefined,
    );
  } catch (error) {
    log.warning(`mdadm.conf in the image can't be read: ${describe(error)}.`);
    return [];
  }
}

const MAIN: readonly string[] = ["/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"];
const MORE: readonly string[] = ["/etc/mdadm/mdadm.conf.d", "/etc/mdadm.conf.d"];

function namesIn(sys: Syscalls, directory: string): string[] {
  const names = exists(sys, directory) ? list(sys, directory).map(({ name }) => name) : [];
  return names.filter((name) => name.endsWith(".conf") && !name.startsWith("."));
}
