import { describe, expect, test } from "bun:test";
import { AliasIndex } from "../../../src/modules/alias.ts";
import { globMatch } from "../../../src/modules/glob.ts";
import { moduleName, underscoredPattern } from "../../../src/modules/names.ts";

describe("globMatch", () => {
  const cases: [pattern: string, subject: string, fits: boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["**", "anything/at all", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[0-2]x", "1x", true],
    ["[0-2]x", "3x", false],
    ["[!0-2]x", "3x", true],
    ["[^0-2]x", "1x", false],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["[abc", "[abc", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["*a*b", "xaxxbxab", true],
    ["*a*b", "xaxxbxa", false],
    ["pci:v00008086d*sv*", "pci:v00008086d00001533sv00008086", true],
  ];
  for (const [pattern, subject, fits] of cases)
    test(`"${pattern}" ${fits ? "takes" : "refuses"} "${subject}"`, () => {
      expect(globMatch(pattern, subject)).toBe(fits);
    });

  test("many stars on a long subject end soon", () => {
    expect(globMatch("*a".repeat(50) + "b", "a".repeat(5000))).toBe(false);
  });
});

describe("names", () => {
  test("a module's name is its file's without directory, endings and dashes", () => {
    expect(moduleName("kernel/crypto/af-alg.ko.xz")).toBe("af_alg");
    expect(moduleName("ext4")).toBe("ext4");
  });
  test("a dash within brackets is left alone", () => {
    expect(underscoredPattern("a-[0-9]-b[-")).toBe("a_[0-9]_b[_");
  });
});

describe("AliasIndex", () => {
  const index = new AliasIndex(
    [
      "# Aliases extracted from modules themselves.",
      "alias pci:v00008086d00001533sv*sd*bc*sc*i* igb",
      "alias pci:v*d*sv*sd*bc02sc00i* generic-nic",
      "alias acpi*:PNP0C0A:* battery",
      "alias fs-ext4 ext4",
      "alias fs-ext4 ext4-other",
      "alias usb:v13FDp3940d0[0-2]*dc* uas",
      "alias * everything",
      "alias x one_letter",
      "symbol:nothing here",
      "",
    ].join("\n"),
  );

  test("a device finds all modules for it, the catch-all last", () => {
    expect(index.match("pci:v00008086d00001533sv00008086sd00000001bc02sc00i00")).toEqual([
      "igb",
      "generic_nic",
      "everything",
    ]);
  });
  test("a wildcard may come early in a pattern", () => {
    expect(index.match("acpi:PNP0C0A:PNP0C0B:")).toEqual(["battery", "everything"]);
  });
  test("dashes and underscores are alike, and an alias may have two modules", () => {
    expect(index.match("fs_ext4")).toEqual(["ext4", "ext4_other", "everything"]);
    expect(index.match("fs-ext4")).toEqual(index.match("fs_ext4"));
  });
  test("ranges are kept", () => {
    expect(index.match("usb:v13FDp3940d0100dc00")).toEqual(["uas", "everything"]);
    expect(index.match("usb:v13FDp3940d0300dc00")).toEqual(["everything"]);
  });
  test("an alias of one letter is found, and so is nothing", () => {
    expect(index.match("x")).toEqual(["everything", "one_letter"]);
    expect(new AliasIndex("").match("pci:v1")).toEqual([]);
  });
});
