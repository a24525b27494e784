/** Errors that a person can act on. */

/** A sentence for the person at the console: what failed, on what, why, what to do now. */
export class UserError extends Error {
  override readonly name = "UserError";

  /** What the person can do about it, a sentence of its own; printed behind the message. */
  readonly remedy: string;

  constructor(message: string, remedy = "") {
    super(message);
    this.remedy = remedy;
  }
}

/** The message of anything that was thrown; a UserError's remedy comes along. */
export function describe(thrown: unknown): string {
  if (thrown instanceof UserError)
    return thrown.remedy ? `${thrown.message} ${thrown.remedy}` : thrown.message;
  if (thrown instanceof Error) return thrown.message;
  return String(thrown);
}

/** Marks a `switch` arm that the type checker proves can't be reached. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value ${String(value)}`);
}
