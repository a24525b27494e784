/** What of the image remote unlock takes. */

import { AT_FDCWD, O_CLOEXEC, O_RDONLY, SysError, type Syscalls, list } from "../../../syscalls/index.ts";
import { type HostKey, readHostKey } from "../../lib/ssh-key.ts";
import { hasProgram } from "../children/spawn.ts";

/** Where the image has them. */
const PLACES = { hostKeys: "/etc/dropbear", authorized: "/root/.ssh/authorized_keys" } as const;

/** A host key, and the file that dropbear gets. */
export interface FoundKey extends HostKey {
  readonly path: string;
}

/** The host keys, or what is missing: a clause. */
export function findKeys(sys: Syscalls): readonly FoundKey[] | string {
  if (!hasProgram(sys, "dropbear")) return "dropbear is not in the image";
  if ((readIfThere(() => sys.stat(AT_FDCWD, PLACES.authorized))?.size ?? 0) === 0)
    return `nobody could log in, as the image has no ${PLACES.authorized}`;
  const names = readIfThere(() => list(sys, PLACES.hostKeys)) ?? [];
  const keys = names
    .filter(({ name }) => /^dropbear_\w+_host_key$/.test(name))
    .flatMap(({ name }): FoundKey[] => {
      const path = `${PLACES.hostKeys}/${name}`;
      const key = readIfThere(() => readHostKey(readWhole(sys, path)));
      return key === undefined ? [] : [{ ...key, path }];
    });
  // A new one at each boot would tell nobody that he speaks with this machine.
  return keys.length === 0 ? `the image has no host key in ${PLACES.hostKeys}` : keys;
}

function readWhole(sys: Syscalls, path: string): Uint8Array {
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
  try {
    const buffer = new Uint8Array(largestKey_bytes);
    return buffer.subarray(0, sys.read(fd, buffer));
  } finally {
    sys.close(fd);
  }
}

// RSA of 16384 bits, five numbers.
const largestKey_bytes = 16_384;

function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}
