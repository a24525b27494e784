/** What a client of /run/rdinit/ask makes of what the boot says (boot/prompt/protocol.ts): steps, without doing them. */

import type { BootLine } from "../boot/prompt/protocol.ts";

/** What is to be done, in this order. */
export interface Step {
  /** A line for the person. */
  readonly say?: string;
  /** A question to be shown at a terminal, where the answer is typed. */
  readonly ask?: string;
  /** The answer of standard input is to be sent. */
  readonly send?: true;
  /** The end, with this exit status. */
  readonly exit?: number;
}

/** Where the answer comes from: typed, question after question, or piped, once. */
export type Source = "terminal" | "pipe";

/** One person's view of the boot. */
export class Dialogue {
  private readonly source: Source;
  private used = false;
  private mine = false;

  constructor(source: Source) {
    this.source = source;
  }

  /** Takes what the boot says next. */
  take({ word, rest }: BootLine): Step {
    switch (word) {
      case "ask":
        if (this.source === "terminal") return { ask: `${rest} ` };
        if (!this.used) return { send: true };
        return { say: `Another passphrase is needed. ${rest} Connect again to give it.`, exit: 1 };
      case "trying":
        this.mine = true;
        this.used = true;
        return { say: "Trying it …" };
      case "taken":
        return { say: `(answered ${rest})` };
      case "ok":
        this.mine = false;
        return { say: `Unlocked: ${rest}; the system goes on.` };
      case "wrong": {
        const { mine } = this;
        this.mine = false;
        return { say: sentence(rest), ...(mine && this.source === "pipe" ? { exit: 1 } : {}) };
      }
      case "closed":
        return { say: "(nobody need answer any more)" };
      case "wait":
        return { say: `No passphrase is asked for at the moment: ${sentence(rest)} Waiting for what comes.` };
      case "failed":
        return { say: `The boot has failed. ${rest}`, exit: 1 };
      case "end":
        return { say: sentence(rest), exit: 0 };
      case "refused":
        return { say: sentence(rest), exit: 1 };
      case "shell":
        return {};
    }
  }

  /** The connection ended before the boot said how it goes on. */
  lost(): Step {
    return { say: "The boot has ended the connection without a word.", exit: 1 };
  }
}

function sentence(words: string): string {
  const begun = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
