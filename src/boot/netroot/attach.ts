/** A tool that attaches a disk of the network: run until it succeeds, while the server can't be reached yet. */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { describeEnd, runChild, succeeded } from "../children/children.ts";
import type { NetMeans } from "./means.ts";
import { type Outcome, keepTrying } from "./trying.ts";

/** What is to be run. */
export interface Attachment {
  readonly argv: readonly [tool: string, ...words: string[]];
  /** What of its words no log may show. */
  readonly secrets?: readonly string[];
  /** The disk, for people: "nbd:server:export". */
  readonly disk: string;
  /** The server, for people. */
  readonly server: string;
  /** What a line of the tool's says of why it fails; undefined for one that does not. */
  readonly read: (line: string) => Reason | undefined;
}

export interface Reason {
  /** In the tool's words. */
  readonly why: string;
  /** The server may answer otherwise later. */
  readonly mayPass: boolean;
}

/**
 * Attaches a disk.
 * @throws UserError when the tool is missing or refuses, or the root's deadline has come
 */
export async function attach(
  { boot }: NetMeans,
  { argv, secrets = [], disk, server, read }: Attachment,
  run: typeof runChild = runChild,
): Promise<void> {
  const [tool] = argv;
  const child = {
    argv,
    secrets,
    name: tool,
    title: `${tool}, which attaches ${disk}`,
    show: "never",
  } as const;
  let heard: readonly Reason[] = [];
  // The last attempt is cut short by the deadline, and may not come to say anything.
  let before: Reason | undefined;
  const hear = (line: string): void => {
    boot.log.debug(`${tool} says: ${text(line)}`);
    heard = [...heard, ...[read(line)].filter((reason) => reason !== undefined)];
  };
  await keepTrying<void>(boot, {
    attempt: async (left_ms): Promise<Outcome<void>> => {
      before = heard.at(-1) ?? before;
      heard = [];
      const { end } = await run(boot, { ...child, hear, deadline_ms: left_ms });
      if (succeeded(end)) return { kind: "done", value: undefined };
      if (end.kind === "failed")
        return refused(`${tool} ${end.why}`, `Build the image with --tools ${tool}.`);
      if (end.kind === "timed out" || heard.at(-1)?.mayPass === true)
        return { kind: "passing", why: doesNotAnswer() };
      const reason = heard.at(-1);
      const why = reason === undefined ? describeEnd(end) : `says: ${text(reason.why)}`;
      return refused(
        `${tool} ${why}`,
        `Does ${text(server)} have it by that name, and may this machine have it?`,
      );
    },
    what: `the server ${text(server)}`,
    gaveUp: (why, effort) =>
      new UserError(
        `The disk ${disk} was not attached ${effort}: the server ${text(server)} ${why ?? doesNotAnswer()}.`,
        "Is it up, and can it be reached from here? rd.timeout= says how long to wait for it.",
      ),
    timeout_ms: boot.options.deviceTimeout_ms,
    isSpoken: true,
  });

  function doesNotAnswer(): string {
    const reason = heard.at(-1) ?? before;
    return `does not answer${reason === undefined ? "" : ` (${tool}: ${text(reason.why)})`}`;
  }
  function refused(why: string, advice: string): Outcome<void> {
    return { kind: "refused", why: new UserError(`The disk ${disk} can't be attached: ${why}.`, advice) };
  }
}
