/** Buffers for passphrases. */

/**
 * A buffer whose bytes stay in one place until they are overwritten. The runtime keeps a small Uint8Array in its heap,
 * and moves the bytes to a place of their own when a view of it is made: those in the heap would be there for good.
 */
export function secretBuffer(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

/** A copy of a passphrase, in such a buffer. */
export function secretCopy(bytes: Uint8Array): Uint8Array {
  const copy = secretBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}
