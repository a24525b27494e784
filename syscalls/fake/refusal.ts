/** How the fake kernel says no. */

import type { ErrnoCode } from "../errno.ts";

/** A failure inside of the fake kernel, before it is known which call it is the answer to. */
export class Refusal extends Error {
  readonly code: ErrnoCode;

  constructor(code: ErrnoCode) {
    super(code);
    this.code = code;
  }
}

export function refuse(code: ErrnoCode): never {
  throw new Refusal(code);
}
