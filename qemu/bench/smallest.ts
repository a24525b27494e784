/** The least memory that a boot can do with. */

/** Memory is looked for in steps of this. */
export const STEP_MB = 16;

/** Where it is looked for. */
export const RANGE_MB = { lowest: 64, highest: 1024 } as const;

/**
 * The least multiple of STEP_MB within RANGE_MB with which `boots` says yes; undefined when even the highest is too
 * little. It is taken for granted that more memory never does harm. It looks at `guess` first, and then further and
 * further away from it, so that what was known before takes two boots.
 */
export async function smallestMemory_mb(
  boots: (memory_mb: number) => Promise<boolean>,
  guess: number,
): Promise<number | undefined> {
  // In steps: the highest that is too little, and the lowest that is enough; at first what lies outside.
  const [below, above] = [RANGE_MB.lowest / STEP_MB - 1, RANGE_MB.highest / STEP_MB + 1];
  let [tooLittle, enough] = [below, above];
  let stride = 1;
  let next = Math.round(guess / STEP_MB);
  while (enough - tooLittle > 1) {
    next = Math.min(Math.max(next, tooLittle + 1), enough - 1);
    if (await boots(next * STEP_MB)) enough = next;
    else tooLittle = next;
    if (enough === above) next = tooLittle + stride;
    else if (tooLittle === below) next = enough - stride;
    else next = Math.floor((tooLittle + enough) / 2);
    stride *= 2;
  }
  return enough === above ? undefined : enough * STEP_MB;
}
