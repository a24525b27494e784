/** Formats that are unpacked by programs of this machine. */

import { UserError } from "../../lib/errors.ts";
import { programEnvironment } from "../program-environment.ts";
import { LARGEST, TOO_LARGE, type Unpacked } from "./decoder.ts";

/**
 * What the program makes of `packed`, and what is wrong with them. `format` is what they are called.
 * @throws UserError when the program is not installed
 */
export function unpackByProgram(format: string, program: string, packed: Uint8Array): Omit<Unpacked, "end"> {
  const path = Bun.which(program);
  if (path === null)
    throw new UserError(
      `The image is packed as ${format}, and the program ${program}, which unpacks that, is not installed.`,
      `Install the package ${program}.`,
    );
  const { stdout, exitCode } = Bun.spawnSync([path, "-dc"], {
    env: programEnvironment(),
    stdin: packed,
    stderr: "ignore",
    maxBuffer: LARGEST,
  });
  const data = new Uint8Array(stdout.buffer, stdout.byteOffset, stdout.length);
  if (exitCode === 0) return { data };
  return { data, fault: data.length >= LARGEST ? TOO_LARGE : "they are damaged" };
}
