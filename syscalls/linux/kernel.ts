/** What the families of calls share: names to numbers, strings to bytes, EINTR, and one way to fail. */

import { toCString } from "../../src/lib/bytes.ts";
import type { Argument, Driver } from "../driver.ts";
import { errnoNumber, fail } from "../errno.ts";
import { type SyscallName, type SyscallNumbers, syscallNumbers } from "../numbers.ts";

const EINTR = errnoNumber("EINTR");
const EINVAL = errnoNumber("EINVAL");
/** PATH_MAX with its NUL. What is longer goes through a buffer of its own, for the kernel to refuse. */
const SCRATCH_BYTES = 4096;

/** A driver with errors and strings. */
export class Kernel {
  readonly driver: Driver;
  private readonly numbers: SyscallNumbers = syscallNumbers();
  private readonly scratch: readonly [Buffer, Buffer] = [
    Buffer.allocUnsafeSlow(SCRATCH_BYTES),
    Buffer.allocUnsafeSlow(SCRATCH_BYTES),
  ];

  constructor(driver: Driver) {
    this.driver = driver;
  }

  /**
   * Makes one call and returns its result, 0 or more. Interrupted calls are made again.
   * @param man the call as its man page names it, for the error
   * @param path what the call is about, for the error
   * @throws SysError
   */
  call(name: SyscallName, man: string, path: string | undefined, ...args: Argument[]): number {
    const nr = this.numbers[name];
    for (;;) {
      const result = this.driver.call(nr, ...args);
      if (result >= 0) return result;
      if (result !== -EINTR) fail(man, -result, path);
    }
  }

  /** close(2): interrupted, it has closed the descriptor all the same, and must not be made again. */
  close(fd: number): void {
    const result = this.driver.call(this.numbers.close, fd);
    if (result < 0 && result !== -EINTR) fail("close", -result);
  }

  /** `call` without blocking (Driver.callSlow). Strings must come from `ownString`. */
  async callSlow(
    name: SyscallName,
    man: string,
    path: string | undefined,
    ...args: Argument[]
  ): Promise<number> {
    const nr = this.numbers[name];
    for (;;) {
      const result = await this.driver.callSlow(nr, ...args);
      if (result >= 0) return result;
      if (result !== -EINTR) fail(man, -result, path);
    }
  }

  /**
   * A byte string as the kernel takes it, good until the next call of this method with the same `slot`:
   * for the arguments of one immediate call.
   * @param path what the call is about, for the error
   * @throws SysError EINVAL for a string with a NUL inside, which the kernel would take for its end
   */
  string(man: string, path: string | undefined, byteString: string, slot: 0 | 1 = 0): Uint8Array {
    if (byteString.length >= SCRATCH_BYTES) return this.ownString(man, path, byteString);
    refuseNul(man, path, byteString);
    const scratch = this.scratch[slot];
    scratch[scratch.write(byteString, 0, "latin1")] = 0;
    return scratch;
  }

  /** The same in memory of its own, good for as long as it is kept. */
  ownString(man: string, path: string | undefined, byteString: string): Uint8Array {
    refuseNul(man, path, byteString);
    return toCString(byteString);
  }
}

function refuseNul(man: string, path: string | undefined, byteString: string): void {
  if (byteString.includes("\0")) fail(man, EINVAL, path);
}
