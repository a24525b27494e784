/** Signing EFI programs for Secure Boot, by sbsign(1). */

import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "../lib/bytes.ts";
import { describe, UserError } from "../lib/errors.ts";
import { programEnvironment } from "./program-environment.ts";
import { hostPath } from "./root-tree.ts";

/** Files in PEM form. Paths are byte strings. */
export interface SigningKey {
  readonly key: string;
  readonly certificate: string;
}

/**
 * The program with a signature. When the key has a passphrase, it is asked for on the terminal. The signature
 * holds the time, so two are never the same.
 * @throws UserError when sbsign is missing, or does not sign
 */
export async function signProgram(
  program: Uint8Array,
  { key, certificate }: SigningKey,
): Promise<Uint8Array> {
  if (!Bun.which("sbsign"))
    throw new UserError("The program sbsign is missing, which signs.", "It is in the package sbsigntool.");
  const directory = mkdtempSync(join(tmpdir(), "rdinit-sign-"));
  try {
    const place = (name: string) => join(directory, name);
    // By links, as a program's arguments here can be only UTF-8.
    linkTo(key, "private key", place("key"));
    linkTo(certificate, "certificate", place("certificate"));
    writeFileSync(place("unsigned"), program, { mode: 0o600 });
    const files = ["--key", place("key"), "--cert", place("certificate"), "--output", place("signed")];
    const child = Bun.spawn(["sbsign", ...files, place("unsigned")], {
      env: programEnvironment(),
      stdin: "inherit",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [complaint, status] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    if (status !== 0)
      throw new UserError(
        `sbsign did not sign with ${text(key)} and ${text(certificate)}: ${complaint.trim().replaceAll("\n", "; ")}.`,
        "Both files must be in PEM form, and belong together.",
      );
    return readFileSync(place("signed"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function linkTo(path: string, noun: string, link: string): void {
  try {
    symlinkSync(realpathSync(hostPath(path), { encoding: "buffer" }), link);
  } catch (error) {
    throw new UserError(`The ${noun} ${text(path)} can't be read: ${describe(error)}.`);
  }
}
