/** The file that becomes /init: this program itself, in the form that suits the kernel. */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { HEAD_SIZE, readIdentity, type Identity } from "../stub/identity.ts";
import type { KernelConfig } from "./kernel-config.ts";
import { hostPath } from "./root-tree.ts";

/**
 * The path of what becomes /init. When nothing is wished for it is the packed form of `program`, a file `init`
 * beside it, if that is there and of the same build, and if the kernel has userfaultfd(2), which it needs to be
 * quick; else `program`.
 * @throws UserError for a file that is no rdinit, or not a whole one
 */
export function chooseInit(
  program: string,
  wish: string | undefined,
  config: KernelConfig | undefined,
): string {
  if (wish !== undefined) {
    check(wish, identityOf(wish));
    return wish;
  }
  const own = identityOf(program);
  check(program, own);
  const packed = join(dirname(program), PACKED_NAME);
  const hasUserfaultfd = config === undefined || config.get("CONFIG_USERFAULTFD") === "y";
  const found = hasUserfaultfd ? identityOf(packed) : undefined;
  return found !== undefined && found.build === own?.build && isWhole(packed, found) ? packed : program;
}

const PACKED_NAME = "init";

function check(path: string, identity: Identity | undefined): void {
  if (identity === undefined)
    throw new UserError(
      `${text(path)} can't become /init: it is no rdinit.`,
      "Name one by --init FILE; make builds build/rdinit and build/init.",
    );
  if (!isWhole(path, identity))
    throw new UserError(`${text(path)} can't become /init: it was cut short.`, "Install it again.");
}

function isWhole(path: string, { size }: Identity): boolean {
  return BigInt(statSync(hostPath(path)).size) === size;
}

function identityOf(path: string): Identity | undefined {
  const stats = statSync(hostPath(path), { throwIfNoEntry: false });
  if (!stats?.isFile()) return undefined;
  const head = new Uint8Array(HEAD_SIZE);
  const fd = openSync(hostPath(path), "r");
  try {
    return readIdentity(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
  } finally {
    closeSync(fd);
  }
}
