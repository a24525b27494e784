/**
 * What of a LUKS header decides how the volume is opened: its ciphers, the memory that its keys take, its tokens.
 *
 * Layout as in src/probe/luks.ts. Of the JSON of LUKS2 nothing is required to be there: what is missing or of
 * another type counts for nothing, and cryptsetup has the last word.
 */

import { type Fd, O_CLOEXEC, O_RDONLY, type Syscalls } from "../../../syscalls/index.ts";
import { View, fromBytes } from "../../lib/bytes.ts";

export interface LuksHeader {
  readonly version: 1 | 2;
  /** Aliases of the modules that the kernel needs for it: "crypto-xts". */
  readonly modules: readonly string[];
  /** The most memory that one of its keys takes to be derived, in KiB; 0 when none takes much. */
  readonly memory_kib: number;
  /** The types of its tokens: "systemd-tpm2". */
  readonly tokens: readonly string[];
  /** The types of those of them that take a PIN besides. */
  readonly pins: readonly string[];
}

/** Reads the header at the start of a device or of a file of its own; undefined when there is none that makes sense. */
export async function readLuksHeader(sys: Syscalls, path: string): Promise<LuksHeader | undefined> {
  const fd = await sys.slow.open(path, O_RDONLY | O_CLOEXEC);
  try {
    const binary = await readAt(sys, fd, 0, BINARY_BYTES);
    const size_bytes = jsonEnd(binary);
    if (size_bytes === undefined) return parseLuksHeader(binary, new Uint8Array(0));
    return parseLuksHeader(binary, await readAt(sys, fd, BINARY_BYTES, size_bytes - BINARY_BYTES));
  } finally {
    sys.close(fd);
  }
}

/** The binary header, and the JSON behind it (LUKS2). Any bytes can be read. */
export function parseLuksHeader(binary: Uint8Array, json: Uint8Array): LuksHeader | undefined {
  const view = new View(binary);
  if (!view.has(0, MAGIC) || view.length < LUKS1_BYTES) return undefined;
  if (view.u16be(6) === 1) {
    const [cipher, mode, hash] = [view.string(8, 32), view.string(40, 32), view.string(72, 32)];
    const modules = unique([...aliases(`${cipher}-${mode}`), ...hashAliases(hash)]);
    return { version: 1, modules, memory_kib: 0, tokens: [], pins: [] };
  }
  return view.u16be(6) === 2 ? parseJson(json) : undefined;
}

const MAGIC = "LUKS\xba\xbe";
const BINARY_BYTES = 4096;
const LUKS1_BYTES = 592;
const LARGEST_BYTES = 4 * 1024 * 1024;

// Where the JSON ends; undefined when there is none.
function jsonEnd(binary: Uint8Array): number | undefined {
  const view = new View(binary);
  if (!view.has(0, MAGIC) || view.length < BINARY_BYTES || view.u16be(6) !== 2) return undefined;
  const size_bytes = view.u64be(8);
  return size_bytes > BigInt(BINARY_BYTES) && size_bytes <= BigInt(LARGEST_BYTES)
    ? Number(size_bytes)
    : undefined;
}

function parseJson(bytes: Uint8Array): LuksHeader {
  const root = objectOf(tryParse(fromBytes(bytes).replace(/\0[^]*$/, "")));
  const keyslots = valuesOf(root["keyslots"]);
  const segments = valuesOf(root["segments"]);
  const ciphers = [
    ...segments.map((segment) => segment["encryption"]),
    ...keyslots.map((slot) => objectOf(slot["area"])["encryption"]),
  ];
  const hashes = [
    ...keyslots.flatMap((slot) => [objectOf(slot["af"])["hash"], objectOf(slot["kdf"])["hash"]]),
    ...valuesOf(root["digests"]).map((digest) => digest["hash"]),
  ];
  const memory = keyslots.map((slot) => objectOf(slot["kdf"])["memory"]);
  const tokens = valuesOf(root["tokens"]);
  const integrity = segments.map((segment) => objectOf(segment["integrity"])["type"]);
  return {
    version: 2,
    modules: unique([
      ...ciphers.flatMap((cipher) => (typeof cipher === "string" ? aliases(cipher) : [])),
      ...hashes.flatMap((hash) => (typeof hash === "string" ? hashAliases(hash) : [])),
      ...integrity.flatMap((type) => (typeof type === "string" ? ["dm_integrity", ...aliases(type)] : [])),
    ]),
    memory_kib: Math.max(
      0,
      ...memory.map((kib) => (typeof kib === "number" && Number.isSafeInteger(kib) ? kib : 0)),
    ),
    tokens: tokens.flatMap(typeOf),
    pins: tokens.filter(takesPin).flatMap(typeOf),
  };
}

function typeOf({ type }: Readonly<Record<string, unknown>>): string[] {
  return typeof type === "string" ? [type] : [];
}

// As systemd-cryptenroll(1) marks them.
function takesPin(token: Readonly<Record<string, unknown>>): boolean {
  return token["tpm2-pin"] === true || token["fido2-clientPin-required"] === true;
}

// "aes-xts-plain64", "aes-cbc-essiv:sha256", "capi:xts(aes)-plain64", "hmac(sha256)": each word is an algorithm, or
// an IV that the kernel makes without one.
function aliases(cipher: string): string[] {
  const words = cipher
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && word !== "capi" && !/^(?:plain|null|benbi|random$)/.test(word));
  return words.map((word) => `crypto-${word}`);
}

function hashAliases(hash: string): string[] {
  return /^[a-z0-9-]{1,32}$/.test(hash) ? [`crypto-${hash}`] : [];
}

function tryParse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function valuesOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Object.values(objectOf(value)).map(objectOf);
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}

async function readAt(sys: Syscalls, fd: Fd, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const count = await sys.slow.pread(fd, buffer.subarray(got), offset + got);
    if (count === 0) break;
    got += count;
  }
  return buffer.subarray(0, got);
}
