import { expect, test } from "bun:test";
import { readSeconds } from "../../../src/lib/seconds.ts";

test("seconds, with three digits behind the point, and at most a day", () => {
  const read = ["0", "30", "1.5", "0.001", "86400", "99999999"].map(readSeconds);
  expect(read).toEqual([0, 30_000, 1500, 1, 86_400_000, 86_400_000]);
});

test.each(["", "-1", "1.", ".5", "1.2345", "1e3", "30s", " 1", "1234567890"])(
  "%j is no number of seconds",
  (value) => {
    expect(readSeconds(value)).toBe("it is not a number of seconds.");
  },
);
