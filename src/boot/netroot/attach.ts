/** A tool that attaches a disk of the network: run until it succeeds, while the server can't be reached yet. */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { type ChildResult, describeEnd, runChild, succeeded } from "../children.ts";
import type { NetMeans } from "./means.ts";
import { type Outcome, keepTrying } from "./trying.ts";

/** What is to be run. */
export interface Attachment {
  readonly argv: readonly [tool: string, ...words: string[]];
  /** The disk, for people: "nbd:server:export". */
  readonly disk: string;
  /** The server, for people. */
  readonly server: string;
  /** Whether this end says that the server may answer otherwise later. */
  readonly mayPass: (result: ChildResult) => boolean;
}

/**
 * Attaches a disk.
 * @throws UserError when the tool is missing or refuses, or the root's deadline has come
 */
export async function attach(
  { boot }: NetMeans,
  { argv, disk, server, mayPass }: Attachment,
  run: typeof runChild = runChild,
): Promise<void> {
  const [tool] = argv;
  const child = { argv, name: tool, title: `${tool}, which attaches ${disk}`, show: "never" } as const;
  await keepTrying<void>(boot, {
    attempt: async (left_ms): Promise<Outcome<void>> => {
      const result = await run(boot, { ...child, deadline_ms: left_ms });
      const { end } = result;
      if (succeeded(end)) return { kind: "done", value: undefined };
      if (end.kind === "failed")
        return refused(`${tool} ${end.why}`, `Build the image with --tools ${tool}.`);
      if (end.kind === "timed out") return { kind: "passing", why: "does not answer" };
      const said = lastWords(result);
      if (mayPass(result)) return { kind: "passing", why: `can't be had (${tool}${said})` };
      return refused(
        `${tool} ${describeEnd(end)}${said}`,
        `Does ${text(server)} have it by that name, and may this machine have it?`,
      );
    },
    what: `the server ${text(server)}`,
    gaveUp: (why) =>
      new UserError(
        `The disk ${disk} was not attached: the server ${text(server)} ${why ?? "does not answer"}.`,
        "Is it up, and can it be reached from here? rd.timeout= says how long to wait for it.",
      ),
    timeout_ms: boot.options.deviceTimeout_ms,
    isSpoken: true,
  });

  function refused(why: string, advice: string): Outcome<void> {
    return { kind: "refused", why: new UserError(`The disk ${disk} can't be attached: ${why}.`, advice) };
  }
}

/** The last words of the tool, behind a colon. */
function lastWords({ output }: ChildResult): string {
  const last = output
    .split("\n")
    .map((line) => line.trim())
    .findLast((line) => line !== "");
  return last === undefined ? "" : `: ${text(last.replace(/\.$/, ""))}`;
}
