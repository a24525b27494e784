/**
 * Byte strings and bounds-checked little-endian reads.
 *
 * Linux paths, labels and command lines are bytes, not text. In this program every string that
 * came from the kernel or from a disk is a *byte string*: one character per byte (latin1), so that
 * nothing is lost on the way from the kernel to the kernel. `text()` makes one fit for people.
 */

/** The byte string that holds exactly these bytes. */
export function fromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes of a byte string; characters above U+00FF are a programming error and keep their low byte. */
export function toBytes(byteString: string): Uint8Array {
  return Buffer.from(byteString, "latin1");
}

/** The bytes of a byte string with a NUL behind, as system calls take them. */
export function toCString(byteString: string): Uint8Array {
  return Buffer.from(`${byteString}\0`, "latin1");
}

/** A byte string as people read it: UTF-8 decoded, control characters escaped, so no name can break the console. */
export function text(byteString: string): string {
  const decoded = Buffer.from(byteString, "latin1").toString("utf8");
  return decoded.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (c) => {
    if (c === "\n") return "\\n";
    if (c === "\t") return "\\t";
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** Bounds-checked little-endian view: every read past the end throws RangeError with the offset, never reads junk. */
export class View {
  readonly length: number;
  private readonly bytes: Uint8Array;
  private readonly data: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.length = bytes.byteLength;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(offset: number): number {
    return this.data.getUint8(offset);
  }
  u16(offset: number): number {
    return this.data.getUint16(offset, true);
  }
  u32(offset: number): number {
    return this.data.getUint32(offset, true);
  }
  u64(offset: number): bigint {
    return this.data.getBigUint64(offset, true);
  }
  u16be(offset: number): number {
    return this.data.getUint16(offset, false);
  }
  u32be(offset: number): number {
    return this.data.getUint32(offset, false);
  }
  u64be(offset: number): bigint {
    return this.data.getBigUint64(offset, false);
  }
  /** `length` bytes at `offset`, not copied. */
  slice(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.length)
      throw new RangeError(
        `bytes ${offset}..${offset + length} lie outside the ${this.length} that were read`,
      );
    return this.bytes.subarray(offset, offset + length);
  }
  /** The byte string at `offset`: at most `length` bytes, ended early by a NUL. */
  string(offset: number, length: number): string {
    const whole = fromBytes(this.slice(offset, length));
    const end = whole.indexOf("\0");
    return end < 0 ? whole : whole.slice(0, end);
  }
  /** True when the ASCII text `magic` stands at `offset`; false past the end too. */
  has(offset: number, magic: string): boolean {
    if (offset < 0 || offset + magic.length > this.length) return false;
    return fromBytes(this.slice(offset, magic.length)) === magic;
  }
}
