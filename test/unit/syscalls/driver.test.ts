/** The driver itself, on the running kernel. */

import { describe, expect, test } from "bun:test";
import { bunDriver } from "../../../syscalls/bun.ts";
import { syscallNumbers } from "../../../syscalls/numbers.ts";

const driver = bunDriver();
const nr = syscallNumbers();
/** A call that nothing else here needs. */
const mmap = 9;

describe("a call", () => {
  test("returns the kernel's own answer", () => {
    expect(driver.call(nr.getpid)).toBe(process.pid);
    expect(driver.call(nr.close, -1)).toBe(-9);
    expect(driver.call(99_999)).toBe(-38);
  });

  test("is exact however often it fails, garbage collection or not", () => {
    const wrong = [];
    for (let i = 0; i < 20_000; i++) {
      if (i % 5000 === 0) Bun.gc(true);
      const [expected, answer] = i % 2 === 0 ? [-9, driver.call(nr.close, -1)] : [-2, openNothing()];
      if (answer !== expected) wrong.push(answer);
    }
    expect(wrong).toEqual([]);
  });

  test("takes integers of every kind", () => {
    expect(driver.call(nr.close, 2 ** 32 - 1)).toBe(-9);
    expect(driver.call(nr.close, -1n)).toBe(-9);
    expect(driver.call(nr.write, 1, null, 0)).toBe(0);
    expect(driver.call(nr.write, 1, -1, 5)).toBe(-14);
  });

  test("takes empty buffers", () => {
    expect(driver.call(nr.write, 1, new Uint8Array(), 0)).toBe(0);
    expect(driver.address(new Uint8Array())).toBeGreaterThan(0);
  });

  test("takes six arguments", () => {
    // mmap(2): the fifth is a descriptor, the sixth an offset, which must be a multiple of the page size.
    const map = (fd: number, offset: number) => driver.call(mmap, 0, 4096, 1, 2, fd, offset);
    const fd = driver.call(nr.memfd_create, Buffer.from("file\0"), 1);
    expect(map(fd, 4096)).toBeGreaterThan(2 ** 32);
    expect(map(fd, 1)).toBe(-22);
    expect(map(-1, 4096)).toBe(-9);
    driver.call(nr.close, fd);
  });
});

describe("an address", () => {
  test("stays while the buffer is looked at and collected around", () => {
    const buffers = Array.from({ length: 100 }, (_, i) => new Uint8Array(8).fill(i));
    const addresses = buffers.map((buffer) => driver.address(buffer));
    Bun.gc(true);
    for (const buffer of buffers) expect(new DataView(buffer.buffer).byteLength).toBe(8);
    expect(buffers.map((buffer) => driver.address(buffer))).toEqual(addresses);
  });

  test("is that of the first byte of a view", () => {
    const whole = new Uint8Array(100);
    expect(driver.address(whole.subarray(10)) - driver.address(whole)).toBe(10);
  });
});

function openNothing(): number {
  return driver.call(nr.openat, -100, Buffer.from("/nothing/here\0"), 0, 0);
}
