import { expect, test } from "bun:test";
import { lackNotes, lackSentences, type Lack } from "../../../src/image/lacks.ts";

const firmware = (count: number): Lack[] =>
  Array.from({ length: count }, (_, at) => ({
    kind: "firmware",
    name: `fw/${at}.bin`,
    wantedBy: `driver${at % 10}`,
  }));

test("a few are told one by one", () => {
  const lacks: Lack[] = [...firmware(1), { kind: "module", name: "no-such", wantedBy: "plain" }];
  expect(lackNotes(lacks)).toEqual([
    "Firmware fw/0.bin, which driver0 may ask for, is not installed.",
    "Module no-such, which plain would like, does not exist.",
  ]);
  expect(lackNotes([])).toEqual([]);
});

test("three of a kind are a few, and one name more than six is told as it is", () => {
  expect(lackNotes(firmware(3))).toHaveLength(3);
  const [note = ""] = lackNotes(firmware(7));
  expect(note).toEndWith("for: driver0, driver1, driver2, driver3, driver4, driver5, driver6.");
});

test("many are told in one sentence, and one by one when all is wanted", () => {
  const modules = Array.from({ length: 4 }, (_, at): Lack => ({
    kind: "module",
    name: `gone${at}`,
    wantedBy: "a\n\xc3\xa9",
  }));
  const lacks = [...firmware(25), ...firmware(25), ...modules];
  expect(lackNotes(lacks)).toEqual([
    "25 files of firmware are not installed, which these modules may ask for: " +
      "driver0, driver1, driver2, driver3, driver4, driver5 and 4 more.",
    "4 modules do not exist, which these would like: a\\né.",
  ]);
  expect(lackSentences(lacks)).toHaveLength(54);
});
