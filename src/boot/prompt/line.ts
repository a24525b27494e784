/** The line that is typed on one terminal: a buffer of fixed size, edited in place and overwritten when it is done with. */

import { secretBuffer } from "./secret-buffer.ts";

/** The longest answer: the longest passphrase that cryptsetup(8) reads from a terminal. */
export const longestAnswer_bytes = 512;

/** What a key did to the line. */
export type LineEvent =
  /** Enter, or Ctrl-D behind something that was typed. */
  | "done"
  /** Ctrl-D on an empty line: no answer will be given here. */
  | "declined"
  /** Ctrl-C: the line is empty again. */
  | "erased"
  /** Enter behind more than fits; the line is empty again. */
  | "too long";

/**
 * Edits bytes as they are typed. Backspace takes a whole character of UTF-8, Ctrl-U the line. Bytes are kept as they
 * come, NUL too.
 */
export class LineEditor {
  private readonly buffer = secretBuffer(longestAnswer_bytes);
  private length = 0;
  private overlong = false;

  /** Takes one byte of a terminal in raw mode; undefined when the line goes on. */
  type(byte: number): LineEvent | undefined {
    switch (byte) {
      case KEYS.enter:
      case KEYS.lineFeed:
        return this.end();
      case KEYS.ctrlD:
        return this.length === 0 ? "declined" : this.end();
      case KEYS.ctrlC:
        this.erase();
        return "erased";
      case KEYS.ctrlU:
        this.erase();
        return undefined;
      case KEYS.backspace:
      case KEYS.delete:
        this.eraseCharacter();
        return undefined;
      default:
        return this.add(byte);
    }
  }

  /** Takes a byte that is part of the answer, whatever it is. */
  add(byte: number): undefined {
    if (this.length === this.buffer.length) this.overlong = true;
    else this.buffer[this.length++] = byte;
  }

  /** The bytes typed so far: a view of the buffer, gone with `erase`. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** Overwrites the line. */
  erase(): void {
    this.buffer.fill(0);
    this.length = 0;
    this.overlong = false;
  }

  private end(): LineEvent {
    if (!this.overlong) return "done";
    this.erase();
    return "too long";
  }

  private eraseCharacter(): void {
    let start = this.length - 1;
    // Bytes that continue a character.
    while (start > 0 && ((this.buffer[start] ?? 0) & 0xc0) === 0x80) start--;
    this.length = Math.max(start, 0);
    this.buffer.fill(0, this.length);
  }
}

const KEYS = {
  ctrlC: 0x03,
  ctrlD: 0x04,
  backspace: 0x08,
  lineFeed: 0x0a,
  enter: 0x0d,
  ctrlU: 0x15,
  delete: 0x7f,
} as const;
