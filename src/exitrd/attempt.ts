/** One thing that may block in the kernel, done with a word on the console and a deadline. */

import { UserError } from "../lib/errors.ts";
import type { Log } from "../boot/log.ts";

/** How long it may stay silent, and how long one may take. A disk that wakes up takes ten seconds or so. */
const silence_ms = 3000;
const patience_ms = 60_000;

/** It takes too long, and may do so for ever: it goes on in the kernel, and must not be begun again. */
export class Late extends UserError {}

/**
 * Waits for `act` to settle.
 * @param doing what it is, in words that fit behind "still": "unmounting /"
 * @throws Late when the deadline comes first
 */
export async function attempt<T>(log: Log, doing: string, act: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const word = setTimeout(
    () => log.notice(`still ${doing} (giving up in ${(patience_ms - silence_ms) / 1000} s)`),
    silence_ms,
  );
  const end = setTimeout(
    () => late.reject(new Late(`${doing} is not done after ${patience_ms / 1000} s`)),
    patience_ms,
  );
  try {
    return await Promise.race([act, late.promise]);
  } finally {
    clearTimeout(word);
    clearTimeout(end);
  }
}
