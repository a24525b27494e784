import { expect, test } from "bun:test";
import { announcement } from "../../../qemu/bench/announce.ts";

const kernel = { what: "a kernel", minutes: 5 };

test("the minutes of what is chosen and of what has to be made first are added, and what is left out is named", () => {
  const lines = announcement(
    [
      { name: "ext4", minutes: 3.5 },
      { name: "goals", minutes: 0.2 },
    ],
    [{ name: "scale", minutes: 12 }],
    [
      { ...kernel, isThere: false },
      { what: "images", isThere: true, minutes: 3 },
    ],
  );
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain("ext4, goals");
  expect(lines[0]).toContain("9 minutes");
  expect(lines[1]).toBe("Made first, and kept: a kernel (5 minutes or so).");
  expect(lines[2]).toContain("scale (12 minutes or so)");
});

test("with everything chosen and there, one line is said", () => {
  expect(announcement([{ name: "x", minutes: 1 }], [], [{ ...kernel, isThere: true }])).toHaveLength(1);
});
