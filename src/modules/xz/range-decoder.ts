/** The range decoder of LZMA: adaptive bits out of a run of bytes. */

import { XzError } from "./error.ts";

/** A probability of one half, where every model starts. */
export const HALF = 1024;

/** Reads bits off `bytes` between two offsets; a read past the end throws XzError. */
export class RangeDecoder {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private at: number;
  private range = -1;
  private code = 0;

  /** The run starts with five bytes of start-up. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    if (end - start < 5) throw new XzError("a chunk is too short to hold anything");
    if (bytes[start] !== 0) throw new XzError("a chunk does not start as it must");
    this.bytes = bytes;
    this.end = end;
    this.at = start + 1;
    for (let i = 0; i < 4; i++) this.code = (this.code << 8) | (bytes[this.at++] ?? 0);
  }

  /** The next bit, by the model at `index`, which learns from it. */
  bit(models: Uint16Array, index: number): number {
    this.refill();
    const model = models[index] ?? HALF;
    const bound = Math.imul(this.range >>> 11, model);
    if (this.code >>> 0 < bound >>> 0) {
      this.range = bound;
      models[index] = model + ((2048 - model) >>> 5);
      return 0;
    }
    this.range = (this.range - bound) | 0;
    this.code = (this.code - bound) | 0;
    models[index] = model - (model >>> 5);
    return 1;
  }

  /** `count` bits, the highest first, by the tree of models at `base`. */
  tree(models: Uint16Array, base: number, count: number): number {
    let node = 1;
    for (let i = 0; i < count; i++) node = (node << 1) | this.bit(models, base + node);
    return node - (1 << count);
  }

  /** As `tree`, the lowest bit first. */
  reverseTree(models: Uint16Array, base: number, count: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < count; i++) {
      const bit = this.bit(models, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** `count` bits that no model foretells, the highest first. */
  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.refill();
      this.range >>>= 1;
      const bit = this.code >>> 0 >= this.range >>> 0 ? 1 : 0;
      if (bit) this.code = (this.code - this.range) | 0;
      value = (value << 1) | bit;
    }
    return value >>> 0;
  }

  /** Throws XzError unless the run was used up exactly. */
  finish(): void {
    this.refill();
    if (this.at !== this.end || this.code !== 0) throw new XzError("a chunk does not end where it should");
  }

  private refill(): void {
    if (this.range >>> 24 !== 0) return;
    if (this.at >= this.end) throw new XzError("a chunk ends too early");
    this.range <<= 8;
    this.code = (this.code << 8) | (this.bytes[this.at++] ?? 0);
  }
}
