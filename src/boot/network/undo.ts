/** What the network has changed of the machine besides links that are up, to be taken back in the reverse order. */

import { SysError } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Log } from "../log.ts";

interface Step {
  /** Fits behind "could not": "give eth0 its address back". */
  readonly words: string;
  readonly undo: () => void;
}

export class Undo {
  private readonly steps: Step[] = [];

  add(words: string, undo: () => void): void {
    this.steps.push({ words, undo });
  }

  /** Takes everything back, the last first. What can't be is told; what is gone need not be. */
  run(log: Log): void {
    for (const { words, undo } of this.steps.splice(0).toReversed()) {
      try {
        undo();
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        if (error.code !== "ENODEV" && error.code !== "ENOENT")
          log.warning(`rdinit could not ${words}: ${describe(error)}.`);
      }
    }
  }
}
