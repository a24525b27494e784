import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { icuItems, isOtherLanguage, withoutLanguages } from "../../../src/stub/icu.ts";

test("of the languages, English and what all fall back to are kept", () => {
  const kept = ["root.res", "en.res", "en_GB.res", "coll/root.res", "coll/ucadata.icu", "zone/tzdbNames.res"];
  const common = ["pool.res", "unit/pool.res", "zoneinfo64.res", "curr/supplementalData.res", "nfkc.nrm"];
  expect([...kept, ...common, "brkitr/word.brk"].filter(isOtherLanguage)).toEqual([]);
  const others = [
    "de.res",
    "zh_Hant_TW.res",
    "coll/sr_Latn.res",
    "lang/ast.res",
    "brkitr/cjdict.dict",
    "unit/res_index.res",
  ];
  expect(others.filter((name) => !isOtherLanguage(name))).toEqual([]);
});

test("in the runtime that is installed, their items and nothing else become zeros", () => {
  const bytes = readFileSync(process.execPath);
  const items = icuItems(bytes);
  const dropped = items.filter(({ name }) => isOtherLanguage(name));
  const kept = items.filter(({ name }) => !isOtherLanguage(name));
  expect(kept.map(({ name }) => name)).toContain("coll/ucadata.icu");
  expect(dropped.map(({ name }) => name)).toContain("coll/de.res");
  expect(dropped.reduce((sum, { start, end }) => sum + end - start, 0)).toBeGreaterThan(8e6);

  const rest = withoutLanguages(bytes);
  const filled = bytes.slice();
  for (const { start, end } of dropped) {
    expect(rest.subarray(start, end).every((byte) => byte === 0)).toBe(true);
    filled.fill(0, start, end);
  }
  expect(Buffer.compare(rest, filled)).toBe(0);
});

test("bytes without such data stay as they are", () => {
  const bytes = Buffer.from("a program that holds CmnD in a sentence");
  expect(icuItems(bytes)).toEqual([]);
  expect(Buffer.compare(withoutLanguages(bytes), bytes)).toBe(0);
});
