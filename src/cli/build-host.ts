/** What an image takes from the process that builds it. */

import type { BuildHost } from "../image/request.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";

/**
 * This process as the builder: its own file becomes /init.
 * @throws UserError when SOURCE_DATE_EPOCH is no number (reproducible-builds.org, "SOURCE_DATE_EPOCH")
 */
export function buildHost(): BuildHost {
  return { program: process.execPath, mtime: sourceDate() };
}

/** Seconds since 1970 of SOURCE_DATE_EPOCH; 0 where it is not set, so that images are the same from day to day. */
export function sourceDate(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given === undefined || given === "") return 0;
  const seconds = Number(given);
  if (/^\d{1,10}$/.test(given) && seconds < 2 ** 32) return seconds;
  throw new UserError(
    `SOURCE_DATE_EPOCH is '${text(given)}', which is no time that an archive can hold.`,
    "It is a number of seconds since 1970, below 2^32.",
  );
}
