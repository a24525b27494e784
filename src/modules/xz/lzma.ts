/**
 * The LZMA coding, as it stands in LZMA2 chunks and by itself, after the LZMA specification: literals
 * and copies of what came before, told apart by a machine of twelve states.
 */

import { XzError } from "./error.ts";
import { HALF, type RangeDecoder } from "./range-decoder.ts";

/** The decoder's memory between chunks. It writes into `out`, which is its dictionary too. */
export class Lzma {
  private readonly out: Uint8Array;
  private readonly dictionarySize: number;
  private readonly models = new Uint16Array(MODELS);
  /** First byte that a copy may reach back to. */
  private dictionaryStart = 0;
  private position: number;
  private state = 0;
  private readonly distances = new Uint32Array(4);
  private literalContextBits = 0;
  private literalPositionMask = 0;
  private positionMask = 0;

  constructor(out: Uint8Array, position: number, dictionarySize: number) {
    this.out = out;
    this.position = position;
    this.dictionarySize = dictionarySize;
  }

  /** Where the next byte goes. */
  get written(): number {
    return this.position;
  }

  /** Forgets what was written. */
  resetDictionary(): void {
    this.dictionaryStart = this.position;
  }

  /** Sets the properties lc, lp and pb, packed in one byte, and forgets what was learned. */
  resetProperties(packed: number): void {
    const lc = packed % 9;
    const lp = Math.floor(packed / 9) % 5;
    const pb = Math.floor(packed / 45);
    if (pb > 4 || lc + lp > 4) throw new XzError("a chunk has properties that LZMA2 forbids");
    this.literalContextBits = lc;
    this.literalPositionMask = (1 << lp) - 1;
    this.positionMask = (1 << pb) - 1;
    this.resetState();
  }

  resetState(): void {
    this.models.fill(HALF);
    this.state = 0;
    this.distances.fill(0);
  }

  /** Takes over bytes that are stored as they are. */
  store(bytes: Uint8Array): void {
    this.out.set(bytes, this.position);
    this.position += bytes.length;
  }

  /**
   * Decodes until `length` more bytes are written; the caller has made sure of the room. True when a mark that
   * there is no more (which LZMA2 has not) came before that.
   */
  decode(input: RangeDecoder, length: number): boolean {
    const { models, distances } = this;
    const end = this.position + length;
    while (this.position < end) {
      const slot = (this.position - this.dictionaryStart) & this.positionMask;
      const { state } = this;
      if (input.bit(models, IS_MATCH + (state << 4) + slot) === 0) {
        this.literal(input);
        continue;
      }
      let count: number;
      if (input.bit(models, IS_REPEAT + state) === 0) {
        distances.copyWithin(1, 0, 3);
        count = this.count(input, MATCH_LENGTH, slot);
        distances[0] = this.distance(input, count);
        if (distances[0] === END_MARK) return true;
        this.state = state < 7 ? 7 : 10;
      } else if (input.bit(models, IS_REPEAT_0 + state) === 0) {
        if (input.bit(models, IS_LONG_REPEAT_0 + (state << 4) + slot) === 0) {
          this.state = state < 7 ? 9 : 11;
          this.copy(1, end);
          continue;
        }
        count = this.count(input, REPEAT_LENGTH, slot);
        this.state = state < 7 ? 8 : 11;
      } else {
        this.repeat(input, state);
        count = this.count(input, REPEAT_LENGTH, slot);
        this.state = state < 7 ? 8 : 11;
      }
      this.copy(count, end);
    }
    return false;
  }

  private literal(input: RangeDecoder): void {
    const { models, out, position, state } = this;
    const previous = position > this.dictionaryStart ? (out[position - 1] ?? 0) : 0;
    const context =
      (((position - this.dictionaryStart) & this.literalPositionMask) << this.literalContextBits) |
      (previous >>> (8 - this.literalContextBits));
    const base = LITERAL + context * 0x300;
    let symbol = 1;
    if (state >= 7) {
      // Right after a copy, the byte that would have come next foretells the literal.
      let expected = this.at(this.distances[0] ?? 0);
      while (symbol < 0x100) {
        const hint = (expected >>> 7) & 1;
        expected <<= 1;
        const bit = input.bit(models, base + ((1 + hint) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== hint) break;
      }
    }
    out[position] = input.descend(models, base, symbol, 0x100);
    this.position++;
    this.state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  // Brings the distance that is used once more to the front.
  private repeat(input: RangeDecoder, state: number): void {
    const { models, distances } = this;
    let which = 1;
    if (input.bit(models, IS_REPEAT_1 + state) === 1) which = 2 + input.bit(models, IS_REPEAT_2 + state);
    const distance = distances[which] ?? 0;
    distances.copyWithin(1, 0, which);
    distances[0] = distance;
  }

  private count(input: RangeDecoder, base: number, slot: number): number {
    const { models } = this;
    if (input.bit(models, base) === 0) return 2 + input.tree(models, base + LOW + (slot << 3), 3);
    if (input.bit(models, base + 1) === 0) return 10 + input.tree(models, base + MIDDLE + (slot << 3), 3);
    return 18 + input.tree(models, base + HIGH, 8);
  }

  private distance(input: RangeDecoder, count: number): number {
    const { models } = this;
    const group = Math.min(count - 2, 3);
    const code = input.tree(models, DISTANCE_CODE + (group << 6), 6);
    if (code < 4) return code;
    const bits = (code >>> 1) - 1;
    const front = (2 | (code & 1)) << bits;
    if (code < 14) return front + input.reverseTree(models, DISTANCE_MIDDLE + front - code, bits);
    // Unsigned: code 63 reaches up to 4 GiB.
    const middle = (front >>> 0) + input.direct(bits - 4) * 16;
    return middle + input.reverseTree(models, DISTANCE_LOW, 4);
  }

  // The byte that lies `distance` + 1 before the next one.
  private at(distance: number): number {
    const back = distance + 1;
    if (back > this.position - this.dictionaryStart || back > this.dictionarySize)
      throw new XzError("a copy reaches back beyond the dictionary");
    return this.out[this.position - back] ?? 0;
  }

  private copy(count: number, end: number): void {
    const { out } = this;
    const distance = this.distances[0] ?? 0;
    this.at(distance);
    if (count > end - this.position) throw new XzError("a copy runs over the end of its chunk");
    let to = this.position;
    for (const stop = to + count; to < stop; to++) out[to] = out[to - distance - 1] ?? 0;
    this.position = to;
  }
}

/** The distance that stands for the end. */
const END_MARK = 0xffffffff;

// Where each kind of model lies in the one array. A tree of n bits takes 2^n, its first unused.
const STATES = 12;
const IS_MATCH = 0;
const IS_REPEAT = IS_MATCH + (STATES << 4);
const IS_REPEAT_0 = IS_REPEAT + STATES;
const IS_REPEAT_1 = IS_REPEAT_0 + STATES;
const IS_REPEAT_2 = IS_REPEAT_1 + STATES;
const IS_LONG_REPEAT_0 = IS_REPEAT_2 + STATES;
const DISTANCE_CODE = IS_LONG_REPEAT_0 + (STATES << 4);
const DISTANCE_MIDDLE = DISTANCE_CODE + 4 * 64;
const DISTANCE_LOW = DISTANCE_MIDDLE + 128;
// A length: two choices, then 16 trees of 3 bits, 16 more, and one of 8.
const LOW = 2;
const MIDDLE = LOW + 16 * 8;
const HIGH = MIDDLE + 16 * 8;
const LENGTH_MODELS = HIGH + 256;
const MATCH_LENGTH = DISTANCE_LOW + 16;
const REPEAT_LENGTH = MATCH_LENGTH + LENGTH_MODELS;
const LITERAL = REPEAT_LENGTH + LENGTH_MODELS;
const MODELS = LITERAL + (0x300 << 4);
