import { describe, expect, test } from "bun:test";
import { constants as files } from "node:fs";
import { constants as system } from "node:os";
import * as ours from "../../../syscalls/constants.ts";

/** Names that both have and whose numbers differ. */
function differences(theirs: Readonly<Record<string, unknown>>): string[] {
  const known: Readonly<Record<string, unknown>> = ours;
  return Object.keys(theirs).filter((name) => name in known && known[name] !== theirs[name]);
}

describe("constants", () => {
  test("are those of the C library", () => {
    expect(differences({ ...files })).toEqual([]);
    expect(differences({ ...system.signals })).toEqual([]);
    // The comparison has something to compare.
    expect(files).toHaveProperty("O_NOFOLLOW", ours.O_NOFOLLOW);
    expect(system.signals).toHaveProperty("SIGXFSZ", ours.SIGXFSZ);
  });

  test("have sixteen limits", () => {
    const limits = Object.entries(ours).filter(([name]) => name.startsWith("RLIMIT_"));
    expect(limits.map(([, value]) => Number(value)).sort((a, b) => a - b)).toEqual([...Array(16).keys()]);
  });

  test("stand in order below each header", async () => {
    const source = await Bun.file(new URL("../../../syscalls/constants.ts", import.meta.url)).text();
    const sections = source.trimEnd().split("\n\n").slice(1);
    expect(sections.length).toBeGreaterThan(15);
    for (const section of sections) {
      const names = [...section.matchAll(/^export const (\w+)/gm)].map(([, name]) => name ?? "");
      expect(section).toStartWith("// ");
      expect(names).toEqual(names.toSorted());
    }
  });
});
