/**
 * Who may answer from elsewhere than the consoles. A boot without remote unlock has a desk alone, which listens for nobody
 * until something is asked.
 */

import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, SysError, type Syscalls } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import { LOGIN_SHELL } from "../../unlock/login.ts";
import type { Boot } from "../context.ts";
import { parts } from "../parts.ts";
import { Desk } from "../prompt/desk.ts";
import { readRemoteSettings } from "./settings.ts";

/** What it needs of the network (boot/network/on-demand.ts). */
export interface RemoteNetwork {
  readonly start: (why: string) => void;
  /** @throws UserError with what lacks */
  readonly up: () => Promise<unknown>;
  readonly changed: () => Promise<void>;
}

/** Serves until `end`; a boot that is tried again behind that takes another. */
export interface Answers {
  /** Where those are asked who have logged in, and whoever else comes to the socket. */
  readonly desk: Desk;
  /** Begins to watch for what needs it, in the background; further calls do nothing. Never throws. */
  start(network: RemoteNetwork): void;
  /**
   * The boot has failed: those who wait are told, and who may have a shell can come and look.
   * @param again when it is tried again by itself, a sentence: then who waits need not come again
   */
  fail(words: string, again?: string): void;
  /** Nothing more is asked: tells all, a sentence, and ends what serves them. Never throws. */
  end(words: string): Promise<void>;
}

/** How long those who answer from elsewhere get to leave, when they have been told. */
export const patience_ms = 2000;

/** With remote unlock where the command line or the image has it. Never throws. */
export async function makeAnswers(boot: Boot): Promise<Answers> {
  if (readRemoteSettings(boot.words).settings.on ?? isBuiltForSsh(boot.sys)) {
    try {
      return new (await parts.remote()).Remote(boot);
    } catch (error) {
      boot.log.warning(`Nobody can unlock over SSH. ${describe(error)}`);
    }
  }
  const desk = new Desk(boot.sys, boot.log);
  return {
    desk,
    start: () => undefined,
    fail: (words, again) => tellFailure(desk, words, again),
    end: (words) => desk.end(words, patience_ms),
  };
}

/** Tells those who wait that the boot has failed; `more` are sentences for the end. */
export function tellFailure(desk: Desk, words: string, again: string | undefined, ...more: string[]): void {
  if (again === undefined) desk.fail([words, ...more].join(" "));
  else desk.rest(["The boot has failed.", words, again, ...more].join(" "));
}

/** True for an image that was built for remote unlock. */
export function isBuiltForSsh(sys: Syscalls): boolean {
  try {
    sys.stat(AT_FDCWD, LOGIN_SHELL, AT_SYMLINK_NOFOLLOW);
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}
