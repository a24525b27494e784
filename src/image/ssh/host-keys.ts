/**
 * The host keys of the SSH server in an image, by which clients know it: named ones, or one that is made once and kept.
 *
 * Never the system's own: whoever reads an image, which lies on a disk that is not encrypted, could pass for the system.
 */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBytes, text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { FileTree } from "../file-tree.ts";
import type { MadeFile } from "../part.ts";
import { programEnvironment } from "../program-environment.ts";
import { findFiles } from "../recipes/look.ts";
import { hostPath } from "../root-tree.ts";
import { type HostKey, readHostKey } from "../../lib/ssh-key.ts";
import { makeHostKey } from "./make-key.ts";

/** Where rdinit keeps the key that it has made, and where Debian's dropbear-initramfs has those for images. */
export const KEY_DIRECTORIES: readonly string[] = [
  "/etc/rdinit",
  "/etc/dropbear/initramfs",
  "/etc/dropbear-initramfs",
];

/** Keys for an image. */
export interface HostKeys {
  readonly files: readonly MadeFile[];
  /** Sentences for `--verbose`: what clients will see. */
  readonly decisions: readonly string[];
  readonly notes: readonly string[];
}

/**
 * The keys in the files `named`, paths on this machine, in OpenSSH's form or dropbear's; where none is named those of
 * the first of KEY_DIRECTORIES in `root` that has some; else a new one, put there into /etc/rdinit.
 * @throws UserError when they can't be read, or none can be made
 */
export function hostKeys(root: FileTree, named: readonly string[]): HostKeys {
  const found = named.length > 0 ? named.map(readNamed) : (keptKeys(root) ?? [newKey(root)]);
  const kinds = found.map(({ key }) => key.kind);
  const twice = kinds.find((kind, at) => kinds.indexOf(kind) < at);
  if (twice !== undefined)
    throw new UserError(`Two host keys of the kind ${twice} are named.`, "A server has one of each kind.");
  return {
    files: found.map(({ key, bytes }) => ({
      to: `/etc/dropbear/dropbear_${key.kind}_host_key`,
      data: bytes,
      mode: 0o600,
    })),
    decisions: found.map(({ key, path }) => `The host key ${text(path)} is ${shown(key)}.`),
    notes: found.flatMap(({ notes }) => notes ?? []),
  };
}

interface Found {
  readonly path: string;
  readonly key: HostKey;
  readonly bytes: Uint8Array;
  readonly notes?: readonly string[];
}

const SYSTEM_KEYS = /^\/etc\/(?:ssh|dropbear)\/[^/]*$/;
const NAME = "dropbear_ed25519_host_key";

function readNamed(path: string): Found {
  const bytes = readPrivate(path);
  const isOpenssh = fromBytes(bytes.subarray(0, 11)) === "-----BEGIN ";
  const found = asFound(path, isOpenssh ? convert(path, bytes) : bytes);
  if (!SYSTEM_KEYS.test(path)) return found;
  const note = `${text(path)} is the system's own host key: whoever can read the image can pass for the system.`;
  return { ...found, notes: [note] };
}

function keptKeys(root: FileTree): Found[] | undefined {
  return KEY_DIRECTORIES.map((directory) =>
    findFiles(root, `${directory}/dropbear_*_host_key`).map((path) =>
      asFound(root.outside(path), root.read(path) ?? new Uint8Array(0)),
    ),
  ).find((keys) => keys.length > 0);
}

// Of two that make one at the same time the first wins: link(2) replaces nothing.
function newKey(root: FileTree): Found {
  const directory = root.outside(root.resolve("/etc/rdinit")?.path ?? "/etc/rdinit");
  const path = `${directory}/${NAME}`;
  const temporary = `${path}.new-${process.pid}`;
  try {
    fs.mkdirSync(hostPath(directory), { recursive: true, mode: 0o700 });
    fs.rmSync(hostPath(temporary), { force: true });
    fs.writeFileSync(hostPath(temporary), makeHostKey(), { mode: 0o600, flag: "wx", flush: true });
    try {
      fs.linkSync(hostPath(temporary), hostPath(path));
    } finally {
      fs.rmSync(hostPath(temporary));
    }
  } catch (error) {
    if (!fs.existsSync(hostPath(path)))
      throw new UserError(
        `The image needs a host key for its SSH server, and none can be made in ${text(directory)}: ${describe(error)}.`,
        "Run this as root once, or name keys by --ssh-host-keys FILE.",
      );
  }
  const found = asFound(path, readPrivate(path));
  const note = `made ${text(path)}, which later images take as well. Clients will be shown ${shown(found.key)}.`;
  return { ...found, notes: [note] };
}

function shown({ kind, fingerprint }: HostKey): string {
  return `${kind.toUpperCase()} ${fingerprint}`;
}

function readPrivate(path: string): Uint8Array {
  try {
    return fs.readFileSync(hostPath(path));
  } catch (error) {
    throw new UserError(
      `The host key ${text(path)} can't be read: ${describe(error)}.`,
      "Run this as root, or name another.",
    );
  }
}

function asFound(path: string, bytes: Uint8Array): Found {
  const key = readHostKey(bytes);
  if (key) return { path, key, bytes };
  throw new UserError(
    `${text(path)} holds no private key that dropbear could have as its host key.`,
    "Take an RSA, ECDSA or ED25519 key in OpenSSH's form or dropbear's; or delete it, if it was made here and is damaged.",
  );
}

// dropbearconvert(1) reads and writes files only: they lie in a directory that nobody else may enter.
function convert(path: string, bytes: Uint8Array): Uint8Array {
  if (Bun.which("dropbearconvert") === null)
    throw new UserError(
      `The program dropbearconvert is missing, which makes a key for dropbear out of ${text(path)}.`,
      "Install it (Debian's package is dropbear-bin), or name no key: one is made then.",
    );
  const directory = fs.mkdtempSync(join(tmpdir(), "rdinit-key-"));
  try {
    const [from, to] = [join(directory, "openssh"), join(directory, "dropbear")];
    fs.writeFileSync(from, bytes, { mode: 0o600 });
    const argv = ["dropbearconvert", "openssh", "dropbear", from, to];
    const ended = Bun.spawnSync(argv, { env: programEnvironment(), stderr: "pipe" });
    if (ended.success) return fs.readFileSync(to);
    const said = ended.stderr.toString().split("\n", 1)[0] ?? "";
    throw new UserError(
      `dropbearconvert can't read the key ${text(path)} (${text(said)}).`,
      "A key with a passphrase it never can: nobody is there to type it. Take one without (ssh-keygen -p).",
    );
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}
