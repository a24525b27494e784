/** When a message of DHCPv6 is sent again: RFC 8415 section 15, with the times of section 7.6. */

/** How one exchange is repeated. */
export interface Schedule {
  /** The first pause, and the longest. */
  readonly initial_ms: number;
  readonly longest_ms: number;
  /** How often it is sent at all; undefined has no end. */
  readonly times?: number;
}

export const schedules = {
  solicit: { initial_ms: 1000, longest_ms: 3_600_000 },
  request: { initial_ms: 1000, longest_ms: 30_000, times: 10 },
  renew: { initial_ms: 10_000, longest_ms: 600_000 },
  rebind: { initial_ms: 10_000, longest_ms: 600_000 },
  release: { initial_ms: 1000, longest_ms: 1000, times: 4 },
  decline: { initial_ms: 1000, longest_ms: 1000, times: 4 },
  "information-request": { initial_ms: 1000, longest_ms: 3_600_000 },
} as const satisfies Record<string, Schedule>;

/** What is waited before the first message, at most, so that a hall of machines does not ask at once. */
export const longestDelay_ms = 1000;

/**
 * The pause behind a message, from the one before it (undefined behind the first). `random` is from 0 to below 1. The
 * first pause of a solicit is never shorter than its time, as servers' answers are gathered in it.
 */
export function nextPause(
  { initial_ms, longest_ms }: Schedule,
  before_ms: number | undefined,
  random: number,
  neverShorter: boolean,
): number {
  const noise = random * 0.2 - 0.1;
  if (before_ms === undefined) return initial_ms * (1 + (neverShorter ? Math.abs(noise) : noise));
  const doubled = before_ms * (2 + noise);
  return doubled > longest_ms ? longest_ms * (1 + noise) : doubled;
}
