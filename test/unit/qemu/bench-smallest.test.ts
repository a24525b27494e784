import { expect, test } from "bun:test";
import { RANGE_MB, STEP_MB, smallestMemory_mb } from "../../../qemu/bench/smallest.ts";

async function search(
  enough_mb: number,
  guess: number,
): Promise<{ found: number | undefined; looks: number[] }> {
  const looks: number[] = [];
  const found = await smallestMemory_mb((memory_mb) => {
    looks.push(memory_mb);
    return Promise.resolve(memory_mb >= enough_mb);
  }, guess);
  return { found, looks };
}

test("what was right before takes two boots", async () => {
  expect(await search(160, 160)).toEqual({ found: 160, looks: [160, 144] });
});

test("the answer is the same from every guess, and takes a few boots", async () => {
  for (let enough_mb = RANGE_MB.lowest; enough_mb <= RANGE_MB.highest; enough_mb += STEP_MB)
    for (const guess of [1, 64, 100, 160, 512, 1024, 5000]) {
      const { found, looks } = await search(enough_mb, guess);
      expect(found).toBe(enough_mb);
      expect(looks.length).toBeLessThanOrEqual(14);
      expect(new Set(looks).size).toBe(looks.length);
    }
});

test("a boot that takes less than the range takes the lowest of it, one that takes more has no answer", async () => {
  expect((await search(1, 300)).found).toBe(RANGE_MB.lowest);
  expect((await search(RANGE_MB.highest + 1, 300)).found).toBeUndefined();
});
