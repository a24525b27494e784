/** What is loaded when it is asked for: what a failure says, and that the hand-over needs none of it. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { load, parts } from "../../../src/boot/parts.ts";

const src = join(import.meta.dir, "../../../src");

test("each part is there", async () => {
  for (const one of Object.values(parts)) expect(Object.keys(await one()).length).toBeGreaterThan(0);
});

test("a part that can't be loaded is a sentence", async () => {
  await expect(load("the network", Promise.reject(new Error("no memory")))).rejects.toThrow(
    /^What rdinit has for the network can't be loaded: no memory\.$/,
  );
});

/** The files that `file` imports when it is loaded, with those that these import. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const code = new Bun.Transpiler({ loader: "ts" }).scanImports(readFileSync(file));
  for (const { kind, path } of code)
    if (kind === "import-statement" && path.startsWith(".")) loadedWith(join(dirname(file), path), seen);
  return seen;
}

test.each(["handover/handover.ts", "handover/in-place.ts", "rescue/emergency.ts"])(
  "nothing is loaded on the way through boot/%s",
  (file) => {
    const all = [...loadedWith(join(src, "boot", file))];
    expect(all.length).toBeGreaterThan(10);
    const later = all.filter((one) => /\bimport\(/.test(readFileSync(one, "utf8")));
    expect(later.map((one) => relative(src, one))).toEqual([]);
  },
);
