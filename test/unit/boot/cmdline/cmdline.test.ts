import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine, sameName } from "../../../../src/boot/cmdline/cmdline.ts";

const words = (line: string) => parseCommandLine(line).map(({ name, value }) => [name, value]);

describe("the kernel's quoting rules", () => {
  const table: [string, [string, string | undefined][]][] = [
    ["", []],
    ["quiet", [["quiet", undefined]]],
    [
      " \t quiet \n ro\v",
      [
        ["quiet", undefined],
        ["ro", undefined],
      ],
    ],
    ["root=/dev/vda1", [["root", "/dev/vda1"]]],
    ["root=UUID=12-ab", [["root", "UUID=12-ab"]]],
    ["empty=", [["empty", ""]]],
    [
      'root="LABEL=my root" ro',
      [
        ["root", "LABEL=my root"],
        ["ro", undefined],
      ],
    ],
    [
      '"root=LABEL=my root" ro',
      [
        ["root", "LABEL=my root"],
        ["ro", undefined],
      ],
    ],
    ['a=b"c d"e', [["a", 'b"c d"e']]],
    ['a="b"c', [["a", 'b"c']]],
    ['a="open to the end', [["a", "open to the end"]]],
    ['"', [["", undefined]]],
    ["=x", [["=x", undefined]]],
    [
      "a\xa0b",
      [
        ["a", undefined],
        ["b", undefined],
      ],
    ],
    ["ro -- rw root=x", [["ro", undefined]]],
    [
      "--x ro",
      [
        ["--x", undefined],
        ["ro", undefined],
      ],
    ],
    ["-- ", []],
    ["a\0b", [["a", undefined]]],
  ];
  for (const [line, expected] of table)
    test(JSON.stringify(line), () => expect(words(line)).toEqual(expected));
});

test("dashes and underscores are the same in names", () => {
  expect(sameName("rd.driver-pre", "rd.driver_pre")).toBe(true);
  expect(sameName("root", "roots")).toBe(false);
});

test("a value quoted as the kernel documents it comes back, whatever is in it", () => {
  const byte = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)) });
  fc.assert(
    fc.property(byte, byte, (before, raw) => {
      const value = raw.replaceAll('"', "");
      const lead = before.replace(/["=]|--/g, "").trim();
      const parsed = parseCommandLine(`${lead} name="${value}" last`);
      expect(parsed.at(-2)).toEqual({ name: "name", value });
      expect(parsed.at(-1)).toEqual({ name: "last", value: undefined });
    }),
  );
});

test("any bytes give words, and no word is made of nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (line) => {
      const total = parseCommandLine(line).reduce(
        (sum, w) => sum + w.name.length + (w.value?.length ?? 0),
        0,
      );
      expect(total).toBeLessThanOrEqual(line.length);
    }),
  );
});
