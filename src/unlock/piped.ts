/** The key that comes on standard input. */

import { type Syscalls, isErrno } from "../../syscalls/index.ts";
import { secretBuffer } from "../boot/prompt/secret-buffer.ts";
import { largestAnswer_bytes, tooLarge } from "../boot/prompt/protocol.ts";
import { UserError } from "../lib/errors.ts";

/**
 * All bytes to the end of `fd`, to be overwritten by who takes them. What was read on the way is overwritten.
 * @throws UserError when there are none, or more than a key has
 */
export async function readKey(sys: Syscalls, fd = 0): Promise<Uint8Array> {
  let buffer = secretBuffer(1 << 16);
  let length = 0;
  for (;;) {
    if (length === buffer.length) {
      if (length > largestAnswer_bytes) break;
      const larger = secretBuffer(length * 2);
      larger.set(buffer);
      buffer.fill(0);
      buffer = larger;
    }
    const count = await readSome(sys, fd, buffer.subarray(length));
    if (count === 0) break;
    length += count;
  }
  if (length > largestAnswer_bytes || length === 0) {
    buffer.fill(0);
    if (length > 0) throw new UserError(`What comes on standard input is no key: ${tooLarge()}`);
    throw new UserError(
      "Standard input is empty, so no passphrase was given.",
      "'ssh -t' gives a terminal to type it at; 'ssh … <file' sends a key file.",
    );
  }
  return buffer.subarray(0, length);
}

async function readSome(sys: Syscalls, fd: number, buffer: Uint8Array): Promise<number> {
  for (;;) {
    await sys.slow.poll([fd]);
    try {
      return sys.read(fd, buffer);
    } catch (error) {
      if (!isErrno(error, "EAGAIN", "EINTR")) throw error;
    }
  }
}
