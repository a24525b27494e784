/** The child processes of process 1: every tool and every hook is run by `runChild`, and what shall run on by daemon.ts. */

import { SIGCONT, SIGKILL, SIGTERM, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import type { Output } from "./output.ts";
import { type StartRequest, startPiped } from "./piped.ts";
import { noTiming } from "../timing/timing.ts";
import { waitInTheOpen } from "../wait.ts";

export interface ChildRequest extends StartRequest {
  /** Words of its arguments that no log may show. */
  readonly secrets?: readonly string[];
  /** What it is to people, for sentences: "the hook 10-foo (pre-mount)". */
  readonly title: string;
  /** How long it may take; undefined waits for ever. */
  readonly deadline_ms: number | undefined;
}

/** How a child ended. */
export type ChildEnd =
  | { readonly kind: "exited"; readonly status: number }
  /** By a signal, and not for taking too long: "SIGSEGV". */
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "timed out" }
  /** It was never there, or its end can't be had: a clause that fits behind its name. */
  | { readonly kind: "failed"; readonly why: string };

export interface ChildResult {
  readonly end: ChildEnd;
  /** The last `kept_bytes` (output.ts) that it wrote to standard output and standard error, a byte string. */
  readonly output: string;
}

/**
 * Runs a program to its end, in a session of its own, with a clean environment and standard output and error in one
 * pipe, which keeps their order. Never throws for what the program does or lacks.
 *
 * Past its deadline its process group gets SIGTERM, and SIGKILL when that does not help. What it leaves behind on
 * purpose (a daemon) runs on until the hand-over (handover/processes.ts), and may go on to print: that is still read, and
 * shown when `show` is "live".
 */
export async function runChild(boot: Boot, request: ChildRequest): Promise<ChildResult> {
  const { log } = boot;
  const { argv, secrets, title, deadline_ms } = request;
  log.debug(`running ${argv.map((word) => (secrets?.includes(word) ? "***" : text(word))).join(" ")}`);
  const started = startPiped(boot, request);
  if (typeof started === "string") return { end: { kind: "failed", why: started }, output: "" };
  const { child, output, screen } = started;
  const end = await waitForEnd(boot, title, child, deadline_ms);
  await untilDrained(output);
  log.debug(`${title} ${describeEnd(end)}`);
  if (!succeeded(end)) screen.showAgain(output.tail());
  return { end, output: output.tail() };
}

/** True for the exit status 0. */
export function succeeded(end: ChildEnd): boolean {
  return end.kind === "exited" && end.status === 0;
}

/** A clause that fits behind the child's name: "ended with status 1". */
export function describeEnd(end: ChildEnd): string {
  switch (end.kind) {
    case "exited":
      return `ended with status ${end.status}`;
    case "killed":
      return `was killed by ${end.signal}`;
    case "timed out":
      return "took too long";
    case "failed":
      return end.why;
  }
}

async function waitForEnd(
  boot: Boot,
  title: string,
  child: Bun.Subprocess,
  deadline_ms: number | undefined,
): Promise<ChildEnd> {
  let end: ChildEnd | undefined;
  const ended = child.exited.then(
    () => void (end = endOf(child)),
    (error: unknown) => void (end = { kind: "failed", why: `can't be waited for: ${describe(error)}` }),
  );
  // The child is kept itself (spawn.ts).
  const inTime = await waitInTheOpen<ChildEnd>(
    { ...boot, timing: noTiming },
    {
      look: async () => end,
      changed: () => ended,
      describe: async () => `waiting for ${title}`,
      timeout_ms: deadline_ms,
    },
  );
  if (inTime !== undefined) return inTime;
  boot.log.warning(`${title} is not done after ${inSeconds(deadline_ms ?? 0)} s and is told to end.`);
  await endGroup(boot, title, child.pid, ended);
  return { kind: "timed out" };
}

/** How a child that has ended did so. */
export function endOf({ exitCode, signalCode }: Bun.Subprocess): ChildEnd {
  return signalCode === null
    ? { kind: "exited", status: exitCode ?? 0 }
    : { kind: "killed", signal: typeof signalCode === "string" ? signalCode : `signal ${signalCode}` };
}

/** How long a process group gets after SIGTERM, and its leader again after SIGKILL. */
const patience_ms = 2000;

// To a tenth: what is left of a deadline is no round number.
function inSeconds(time_ms: number): number {
  return Math.round(time_ms / 100) / 10;
}

/** Ends a process group: by SIGTERM, and by SIGKILL when its leader does not end of that. Never throws. */
export async function endGroup(
  { sys, log }: Boot,
  title: string,
  group: number,
  leaderEnded: Promise<unknown>,
): Promise<void> {
  signalGroup(sys, group, SIGTERM);
  signalGroup(sys, group, SIGCONT);
  if (!(await within(leaderEnded, patience_ms))) log.warning(`${title} does not end and is killed.`);
  // Those of the group that its leader has left behind go with it.
  signalGroup(sys, group, SIGKILL);
  if (!(await within(leaderEnded, patience_ms)))
    log.warning(`${title} is stuck in the kernel, where no signal reaches it.`);
}

/** Sends a signal to a process group, if there is one. */
export function signalGroup(sys: Syscalls, group: number, signal: number): void {
  try {
    sys.kill(-group, signal);
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/** How long the rest of the output is waited for: what the child itself wrote is in the pipe when it has ended. */
const drain_ms = 250;

/** Waits until a child that has ended, and whom it left behind, has been read to the end; not for long. */
export async function untilDrained({ ended }: Output): Promise<void> {
  await within(ended, drain_ms);
}

/** Whether `event` comes in time. */
export async function within(event: Promise<unknown>, timeout_ms: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), timeout_ms);
  return Promise.race([event.then(() => true), late.promise]).finally(() => clearTimeout(timer));
}
