/** What of the machine and the image decides how an encrypted volume can be opened. */

import { type Syscalls, readTextIfThere } from "../../../syscalls/index.ts";
import { hasProgram } from "../children/spawn.ts";

/** A clause when deriving a key would take more memory than there is: it fits behind the volume's name. */
export function lackOfMemory(sys: Syscalls, needed_kib: number): string | undefined {
  const available_kib = Number(
    /^MemAvailable: +(\d+) kB$/m.exec(readTextIfThere(sys, "/proc/meminfo") ?? "")?.[1],
  );
  if (!(needed_kib > available_kib)) return undefined;
  const [needed, available] = [needed_kib, available_kib].map((kib) => `${Math.round(kib / 1024)} MiB`);
  return `takes up to ${needed} of memory to be opened, and ${available} is there`;
}

/** True when the image holds cryptsetup: nobody need be asked for what nothing can use. */
export function hasCryptsetup(sys: Syscalls): boolean {
  return hasProgram(sys, "cryptsetup");
}
