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
    return this.descend(models, base, 1, 1 << count) - (1 << count);
  }

  /**
   * Goes down the tree of models at `base` from `node` on, to the left for 0 and to the right for 1, until the
   * node's number is `limit` or more. Most bits come this way, so the decoder's state is kept in variables.
   */
  descend(models: Uint16Array, base: number, node: number, limit: number): number {
    const { bytes, end } = this;
    let { range, code, at } = this;
    while (node < limit) {
      if (range >>> 24 === 0) {
        if (at >= end) throw new XzError("a chunk ends too early");
        range <<= 8;
        code = (code << 8) | (bytes[at++] ?? 0);
      }
      const index = base + node;
      const model = models[index] ?? HALF;
      const bound = Math.imul(range >>> 11, model);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        models[index] = model + ((2048 - model) >>> 5);
        node <<= 1;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        models[index] = model - (model >>> 5);
        node = (node << 1) | 1;
      }
    }
    this.range = range;
    this.code = code;
    this.at = at;
    return node;
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
    if (this.behind() !== this.end) throw new XzError("a chunk does not end where it should");
  }

  /** Behind the last byte that was needed. Throws XzError when that is no place to end at. */
  behind(): number {
    this.refill();
    if (this.code !== 0) throw new XzError("a chunk does not end where it should");
    return this.at;
  }

  private refill(): void {
    if (this.range >>> 24 !== 0) return;
    if (this.at >= this.end) throw new XzError("a chunk ends too early");
    this.range <<= 8;
    this.code = (this.code << 8) | (this.bytes[this.at++] ?? 0);
  }
}
