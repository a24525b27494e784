/** Small looks at files that may go while they are looked at, as those of a device in sysfs(5) do. */

import { SysError, type Syscalls, exists, list, readTextIfThere } from "../../../syscalls/index.ts";

/** The text of an attribute without the end of its line; undefined when it can't be had, for whatever reason. */
export function readAttribute(sys: Syscalls, path: string): string | undefined {
  return unlessRefused(() => readTextIfThere(sys, path)?.replace(/\n$/, ""));
}

/** The names in a directory; none when it can't be read. */
export function namesIn(sys: Syscalls, directory: string): string[] {
  return unlessRefused(() => list(sys, directory).map(({ name }) => name)) ?? [];
}

/** Whether there is such a file, as far as can be told. */
export function isThere(sys: Syscalls, path: string): boolean {
  return unlessRefused(() => exists(sys, path)) ?? false;
}

function unlessRefused<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}
