/** The devices that every fake machine has. */

import { fromBytes } from "../../src/lib/bytes.ts";
import type { FakeDevice } from "./options.ts";

/** What was written to the console and to the kernel's log. */
export interface Output {
  console: string;
  /** One string for each write. */
  readonly kmsg: string[];
}

export function builtInDevices(output: Output): Record<string, FakeDevice> {
  return {
    "char 1:3": { write: () => {} },
    "char 1:5": { read: (length) => new Uint8Array(length), write: () => {} },
    "char 1:11": { write: (bytes) => void output.kmsg.push(fromBytes(bytes)) },
    "char 5:1": { write: (bytes) => void (output.console += fromBytes(bytes)), terminal: true },
  };
}
