/** The bytes of a device that a probe has read, and the few large reads that bring them. */

import { View } from "../lib/bytes.ts";
import type { At, Reader, Window } from "./format.ts";

/** Limits of one probe, whatever the disk says. */
export interface Limits {
  /** Bytes that may be read in all. */
  readonly bytes: number;
}

/**
 * Bytes of one device, read on demand and kept.
 *
 * `at` never waits: what it can't give it notes, and `load` then reads all that was noted, in as few
 * reads as possible. Reads are aligned to 4 KiB and never reach past the end of the device.
 */
export class Device {
  readonly size_bytes: number;
  private readonly read: Reader;
  private readonly chunks: Chunk[] = [];
  private missed: Range[] = [];
  private budget_bytes: number;

  constructor(read: Reader, size_bytes: number, limits: Limits) {
    this.read = read;
    this.size_bytes = size_bytes;
    this.budget_bytes = limits.bytes;
  }

  readonly at: At = (offset, length) => {
    const start = offset < 0 ? this.size_bytes + offset : offset;
    const end = start + length;
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) return undefined;
    if (start < 0 || length <= 0 || end > this.size_bytes) return undefined;
    const chunk = this.chunks.find((c) => c.start <= start && end <= c.end);
    if (chunk === undefined) {
      this.missed.push({ start, end });
      return undefined;
    }
    const within = chunk.bytes.subarray(start - chunk.start, end - chunk.start);
    return within.length === length ? new View(within) : undefined;
  };

  /** Notes ranges for the next `load`; the part of a range that lies outside of the device is left out. */
  want(windows: readonly Window[]): void {
    for (const { offset, length } of windows) {
      const from = offset < 0 ? this.size_bytes + offset : offset;
      const start = Math.max(0, from);
      const end = Math.min(this.size_bytes, from + length);
      if (start < end) this.missed.push({ start, end });
    }
  }

  /** Reads what was noted. False when there was nothing to read or the limit is reached. */
  async load(): Promise<boolean> {
    const ranges = merge(this.missed.map((range) => this.aligned(range)));
    this.missed = [];
    const total_bytes = ranges.reduce((sum, range) => sum + range.end - range.start, 0);
    if (ranges.length === 0 || total_bytes > this.budget_bytes) return false;
    this.budget_bytes -= total_bytes;
    for (const { start, end } of ranges) {
      const bytes = await this.read(start, end - start);
      this.chunks.push({ start, end, bytes: bytes.subarray(0, end - start) });
    }
    return true;
  }

  /** Like `at`, but reads what is missing. */
  async get(offset: number, length: number): Promise<View | undefined> {
    const ready = this.at(offset, length);
    if (ready !== undefined || !(await this.load())) return ready;
    return this.at(offset, length);
  }

  private aligned(range: Range): Range {
    const start = Math.floor(range.start / page_bytes) * page_bytes;
    const end = Math.min(this.size_bytes, Math.ceil(range.end / page_bytes) * page_bytes);
    return { start, end };
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

// `bytes` is shorter than the range when the device ended early: that part was tried and is not there.
interface Chunk extends Range {
  readonly bytes: Uint8Array;
}

const page_bytes = 4096;

// A gap this small costs less time to read over than a second read costs to start.
const gap_bytes = 64 * 1024;

function merge(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end + gap_bytes)
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    else merged.push(range);
  }
  return merged;
}
