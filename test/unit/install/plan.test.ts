import { describe, expect, test } from "bun:test";
import type { CpioEntry } from "../../../src/image/cpio.ts";
import { fingerprint } from "../../../src/install/manifest.ts";
import { type InstallPlan, planInstall } from "../../../src/install/plan.ts";
import { toBytes } from "../../../src/lib/bytes.ts";

const file = (path: string, data = "new"): CpioEntry => ({
  path,
  type: "file",
  mode: 0o644,
  data: toBytes(data),
});
const directory = (path: string): CpioEntry => ({ path, type: "directory", mode: 0o755 });

const NEW = fingerprint(file("x"));
const OLD = fingerprint(file("x", "old"));
const OTHER = fingerprint(file("x", "other"));

function plan(
  entries: readonly CpioEntry[],
  {
    there = {},
    installed = {},
    force = false,
  }: {
    there?: Record<string, string>;
    installed?: Record<string, string>;
    force?: boolean;
  },
): Record<string, unknown> {
  const result: InstallPlan = planInstall(
    entries,
    new Map(Object.entries(installed).map(([path, value]) => [path, value.split("|")])),
    (path) => there[path],
    force,
  );
  return {
    write: result.write.map(({ path }) => path),
    remove: result.remove,
    conflicts: result.conflicts,
    changed: result.changed,
    manifest: Object.fromEntries([...result.manifest].map(([path, value]) => [path, value.join("|")])),
  };
}

const nothing = { write: [], remove: [], conflicts: [], changed: [] };

describe("a file", () => {
  test.each([
    ["that is not there is written", {}, { write: ["f"], manifest: { f: NEW } }],
    [
      "that is there already and ours stays",
      { there: { f: NEW }, installed: { f: NEW } },
      { manifest: { f: NEW } },
    ],
    ["that is there already and another's stays another's", { there: { f: NEW } }, { manifest: {} }],
    [
      "of ours is replaced",
      { there: { f: OLD }, installed: { f: OLD } },
      { write: ["f"], manifest: { f: NEW } },
    ],
    ["of another is in the way", { there: { f: OTHER } }, { conflicts: ["f"], manifest: {} }],
    [
      "of another is replaced by force",
      { there: { f: OTHER }, force: true },
      { write: ["f"], manifest: { f: NEW } },
    ],
    [
      "of ours that somebody changed stays",
      { there: { f: OTHER }, installed: { f: OLD } },
      { changed: ["f"], manifest: { f: OLD } },
    ],
    [
      "of ours that somebody changed is replaced by force",
      { there: { f: OTHER }, installed: { f: OLD }, force: true },
      { write: ["f"], manifest: { f: NEW } },
    ],
    [
      "that a killed run has put there is taken for what it is",
      { there: { f: NEW }, installed: { f: OLD } },
      { manifest: { f: NEW } },
    ],
    [
      "that a killed run has not replaced any more is replaced",
      { there: { f: OLD }, installed: { f: `${OLD}|${OTHER}` } },
      { write: ["f"], manifest: { f: NEW } },
    ],
    [
      "never takes the place of a directory",
      { there: { f: "directory" }, force: true },
      { conflicts: ["f"], manifest: {} },
    ],
    [
      "does not even take that of a directory of ours",
      { there: { f: "directory" }, installed: { f: "directory" }, force: true },
      { conflicts: ["f"] },
    ],
  ])("%s", (_, given, expected) => {
    expect(plan([file("f")], given)).toMatchObject({ ...nothing, ...expected });
  });
});

describe("a directory", () => {
  test.each([
    ["that is there belongs to whom it belonged", { there: { d: "directory" } }, { manifest: {} }],
    ["that is missing is made", {}, { write: ["d"], manifest: { d: "directory" } }],
    ["takes no file's place", { there: { d: OTHER }, force: true }, { conflicts: ["d"] }],
    [
      "takes no symlink's place, which might lead out",
      { there: { d: "symlink /usr" }, force: true },
      { conflicts: ["d"] },
    ],
    [
      "takes no symlink's place of ours either: a machine whose /lib became one, or ceased to be one",
      { there: { d: "symlink usr/d" }, installed: { d: "symlink usr/d" } },
      { conflicts: ["d"] },
    ],
  ])("%s", (_, given, expected) => {
    expect(plan([directory("d")], given)).toMatchObject({ ...nothing, ...expected });
  });
});

describe("what is not wanted any more", () => {
  test("goes when it is ours and unchanged, deepest first", () => {
    const installed = { lib: "directory", "lib/a": "directory", "lib/a/b.ko": OLD, "lib/mine": OLD };
    expect(
      plan([], {
        installed,
        there: {
          lib: "directory",
          "lib/a": "directory",
          "lib/a/b.ko": OLD,
          "lib/mine": OTHER,
          vmlinuz: OTHER,
        },
      }),
    ).toEqual({ ...nothing, remove: ["lib/a/b.ko", "lib/a", "lib"], manifest: {} });
  });
});
