import { describe, expect, test } from "bun:test";
import { parseRecord } from "../../../src/chart/parse.ts";

const entry = { lane: "module", name: "ext4", note: "ENODEV", asked_us: 1, from_us: 2, to_us: 3 };
const good = {
  format: "rdinit-timing",
  version: 1,
  kernel: "6.1.0",
  command_line: "quiet",
  outcome: "handing over to /sbin/init",
  init_us: 1,
  end_us: 9,
  left_out: 0,
  entries: [entry, { lane: "person", name: "the rescue shell", from_us: 4 }],
};

test("a record is read as it is", () => {
  expect<unknown>(parseRecord(JSON.stringify(good), "t.json")).toEqual(good);
  expect<unknown>(
    parseRecord(JSON.stringify({ ...good, later: "unknown fields are passed over" }), "t.json"),
  ).toEqual(good);
});

describe("refused", () => {
  const cases: readonly (readonly [text: string, why: string])[] = [
    ["", "t.json is not JSON."],
    ["{", "t.json is not JSON."],
    ["7", "t.json is wrong: it is no object."],
    ["[]", "t.json is wrong: it is no object."],
    ["{}", "t.json is no record of a boot: its 'format' is not 'rdinit-timing'."],
    [changed({ version: 2 }), "t.json has a version other than 1, which this rdinit reads."],
    [changed({ init_us: 10 }), "t.json is wrong: it ends before /init began."],
    [changed({ init_us: -1 }), "t.json is wrong: it has no number 'init_us'."],
    [changed({ end_us: 1e300 }), "t.json is wrong: it has a 'end_us' of more than a hundred days."],
    [changed({ kernel: 6 }), "t.json is wrong: it has no text 'kernel'."],
    [changed({ left_out: undefined }), "t.json is wrong: it has no number 'left_out'."],
    [changed({ entries: {} }), "t.json is wrong: 'entries' is no list."],
    [changed({ entries: [entry, null] }), "t.json is wrong: entry 2 is no object."],
    [
      withEntry({ lane: "toString" }),
      "t.json is wrong: entry 1 has a 'lane' that is none of kernel, step, module, device, child, wait, network, person.",
    ],
    [withEntry({ name: undefined }), "t.json is wrong: entry 1 has no text 'name'."],
    [withEntry({ note: 3 }), "t.json is wrong: entry 1 has no text 'note'."],
    [withEntry({ from_us: "2" }), "t.json is wrong: entry 1 has no number 'from_us'."],
    [withEntry({ from_us: 1.5 }), "t.json is wrong: entry 1 has no number 'from_us'."],
    [withEntry({ asked_us: 3 }), "t.json is wrong: entry 1 was asked for after it began."],
    [withEntry({ to_us: 1 }), "t.json is wrong: entry 1 ends before it begins, or after the record."],
    [withEntry({ to_us: 10 }), "t.json is wrong: entry 1 ends before it begins, or after the record."],
    [
      changed({ entries: Array.from({ length: 100_001 }, () => 0) }),
      "t.json is too long: it has more than 100000 entries.",
    ],
  ];
  for (const [text, why] of cases)
    test(why, () => {
      expect(() => parseRecord(text, "t.json")).toThrow(why);
    });
});

function changed(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...good, ...fields });
}

function withEntry(fields: Readonly<Record<string, unknown>>): string {
  return changed({ entries: [{ ...entry, ...fields }] });
}
