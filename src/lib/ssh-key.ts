/** Keys of SSH as bytes: the strings of RFC 4251, section 5, and dropbear's files of private keys (its signkey.c). */

import { fromBytes, toBytes } from "./bytes.ts";

/** The string that begins at `offset`, a byte string, and where the next thing begins; undefined when it is cut short. */
export function readString(bytes: Uint8Array, offset: number): { value: string; next: number } | undefined {
  if (offset + 4 > bytes.length) return undefined;
  const next = offset + 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
  return next > bytes.length ? undefined : { value: fromBytes(bytes.subarray(offset + 4, next)), next };
}

/** A private key in dropbear's form. */
export interface HostKey {
  /** As dropbear names its file: dropbear_rsa_host_key. */
  readonly kind: "rsa" | "ecdsa" | "ed25519";
  /** As ssh(1) shows it to people: "SHA256:…". */
  readonly fingerprint: string;
}

/** What a file of a private key in dropbear's form holds; undefined for anything else. */
export function readHostKey(bytes: Uint8Array): HostKey | undefined {
  const type = readString(bytes, 0);
  const kind = KINDS.find(({ name }) => type !== undefined && name.test(type.value))?.kind;
  if (kind === undefined || type === undefined) return undefined;
  const blob = publicHalf(bytes, kind, type.next);
  return blob && { kind, fingerprint: fingerprint(blob) };
}

const KINDS: readonly { readonly name: RegExp; readonly kind: HostKey["kind"] }[] = [
  { name: /^ssh-rsa$/, kind: "rsa" },
  { name: /^ecdsa-sha2-nistp(?:256|384|521)$/, kind: "ecdsa" },
  { name: /^ssh-ed25519$/, kind: "ed25519" },
];

// Two numbers, or a curve and a point, that come before the secret ones. ed25519's file has both halves in one string.
function publicHalf(bytes: Uint8Array, kind: HostKey["kind"], offset: number): Uint8Array | undefined {
  const first = readString(bytes, offset);
  if (first === undefined) return undefined;
  if (kind !== "ed25519") {
    const second = readString(bytes, first.next);
    return second && bytes.subarray(0, second.next);
  }
  if (first.value.length !== 64) return undefined;
  return Buffer.concat([bytes.subarray(0, offset), sshString(toBytes(first.value.slice(32)))]);
}

/** A string as RFC 4251 has it. */
export function sshString(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function fingerprint(blob: Uint8Array): string {
  return `SHA256:${new Bun.CryptoHasher("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
