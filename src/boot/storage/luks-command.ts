/** How cryptsetup(8) is called to open a volume, and what its answers mean. No secret is ever among its arguments. */

import { text } from "../../lib/bytes.ts";
import { type ChildResult, describeEnd } from "../children/children.ts";
import { lastLines } from "../children/output.ts";

/** Where the key comes from: standard input, a file or device, or the volume's own tokens. */
export type KeySource =
  | { readonly kind: "passphrase" }
  | { readonly kind: "file"; readonly path: string; readonly flags: readonly string[] }
  | { readonly kind: "tokens" };

export interface OpenRequest {
  /** The node of the encrypted device. */
  readonly node: string;
  readonly name: string;
  /** VolumeOptions.flags */
  readonly flags: readonly string[];
  /** The file or device that holds the header, when it is not on the encrypted device. */
  readonly header: string | undefined;
  readonly key: KeySource;
}

/** The arguments. */
export function planOpen({ node, name, flags, header, key }: OpenRequest): string[] {
  return [
    ...["cryptsetup", "open", "--type", "luks", "--batch-mode"],
    // Nobody else is there to be locked out, and /run stays as it is.
    "--disable-locks",
    ...flags,
    ...(header === undefined ? [] : ["--header", header]),
    ...keyArguments(key),
    ...["--", node, name],
  ];
}

function keyArguments(key: KeySource): readonly string[] {
  switch (key.kind) {
    case "passphrase":
      return ["--key-file", "-"];
    case "file":
      return ["--key-file", key.path, ...key.flags];
    case "tokens":
      return ["--token-only"];
  }
}

/** What came of it. */
export type Opened =
  | { readonly kind: "opened" }
  | { readonly kind: "wrong key" }
  /** A clause that fits behind the volume's name, and what cryptsetup said at last. */
  | { readonly kind: "failed"; readonly why: string; readonly said?: string | undefined };

/** Reads what cryptsetup answered: RETURN CODES of cryptsetup(8). */
export function readAnswer({ end, output }: ChildResult): Opened {
  if (end.kind === "exited" && end.status === 0) return { kind: "opened" };
  if (end.kind === "exited" && end.status === 2) return { kind: "wrong key" };
  const said = lastWords(output);
  const words = said === undefined ? "" : ` (it said: ${said})`;
  if (end.kind === "exited") {
    const meaning = MEANINGS[end.status];
    if (meaning !== undefined) return { kind: "failed", why: `can't be opened: ${meaning}${words}`, said };
  }
  const outOfMemory = end.kind === "killed" && end.signal === "SIGKILL" ? OUT_OF_MEMORY : "";
  return {
    kind: "failed",
    why: `can't be opened: cryptsetup ${describeEnd(end)}${outOfMemory}${words}`,
    said,
  };
}

const MEANINGS: Readonly<Record<number, string>> = {
  3: "there is too little memory",
  4: "its device can't be used",
  5: "its device or its name is in use already",
};

// The cause and what it led to; a TPM's library tells its own story in front, by lines of its source.
function lastWords(output: string): string | undefined {
  const lines = lastLines(output, 4).filter((line) => !/^(?:WARNING|ERROR):\w+:/.test(line));
  const words = lines.slice(-2).map((line) => line.trimEnd().replace(/\.$/, ""));
  return words.length === 0 ? undefined : words.join("; ");
}

const OUT_OF_MEMORY = ", as the kernel does it when there is no memory left";

/** A volume as people know it: "vda2 (luks-…)". */
export function describeVolume(device: string, name: string): string {
  return `${text(device)} (${text(name)})`;
}

/** The question. */
export function passphraseWords(volumes: readonly string[]): string {
  return `Passphrase for ${volumes.join(" and ")}: `;
}
