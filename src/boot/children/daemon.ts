/** Children that run on while the boot goes on: a DHCP client, an SSH server. `runChild` is for those that end by themselves. */

import { describe } from "../../lib/errors.ts";
import {
  type ChildEnd,
  type ChildRequest,
  describeEnd,
  endGroup,
  endOf,
  signalGroup,
  succeeded,
  untilDrained,
} from "./children.ts";
import type { Boot } from "../context.ts";
import { startPiped } from "./piped.ts";

/** As for a child that ends by itself. The program has to stay in the foreground. */
export type DaemonRequest = Omit<ChildRequest, "deadline_ms">;

/** A child that runs on. What is left of it ends before the hand-over (handover/processes.ts). */
export interface Daemon {
  readonly pid: number;
  /** How it ended, whoever ended it, when what it printed has been read; never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** To its process group; nothing when that is gone. */
  signal(signal: number): void;
  /** Ends its process group, by SIGKILL when SIGTERM does not help, and waits for that. Never throws. */
  end(): Promise<void>;
  /** The last lines that it printed, a byte string. */
  output(): string;
}

/**
 * Starts a program in a session of its own, with a clean environment and standard output and error in one pipe. When it
 * can't be started the result says why, as a clause that fits behind its name: "is not in the image".
 */
export function startDaemon(boot: Boot, request: DaemonRequest): Daemon | string {
  const { sys, log } = boot;
  const { title } = request;
  const started = startPiped(boot, request);
  if (typeof started === "string") return started;
  const { child, output, screen } = started;
  let isTold = false;
  const exited = child.exited.then(
    () => endOf(child),
    (error: unknown): ChildEnd => ({ kind: "failed", why: `can't be waited for: ${describe(error)}` }),
  );
  const ended = exited.then(async (end) => {
    // Its last words may say why, and come behind the news of its end.
    await untilDrained(output);
    log.debug(`${title} ${describeEnd(end)}`);
    if (!isTold && !succeeded(end)) screen.showAgain(output.tail());
    return end;
  });
  return {
    pid: child.pid,
    ended,
    signal: (signal) => signalGroup(sys, child.pid, signal),
    end: async () => {
      isTold = true;
      await endGroup(boot, title, child.pid, exited);
    },
    output: () => output.tail(),
  };
}
