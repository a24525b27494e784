import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readIni } from "../../../src/config/ini-file.ts";
import { UserError } from "../../../src/lib/errors.ts";

function read(content: string) {
  return readIni(content, "/etc/rdinit.ini");
}

describe("readIni", () => {
  test("sections, keys, quotes, comments, and where each stands", () => {
    const content = [
      "; a comment",
      "above = 1",
      "[image]",
      "  drivers = virtio_blk ext4 ; and why",
      'include = "/a file:/b"',
      "include[] = /c",
      "",
      "# another",
      "[ boot ]\r",
      "rd.timeout=60\r",
      "quiet",
      "rd.shell = false",
      "empty =",
    ].join("\n");
    expect(read(content).map(({ section, key, value, place }) => [section, key, value, place])).toEqual([
      ["", "above", "1", "/etc/rdinit.ini, line 2"],
      ["image", "drivers", "virtio_blk ext4", "/etc/rdinit.ini, line 4"],
      ["image", "include", "/a file:/b", "/etc/rdinit.ini, line 5"],
      ["image", "include", "/c", "/etc/rdinit.ini, line 6"],
      ["boot", "rd.timeout", "60", "/etc/rdinit.ini, line 10"],
      ["boot", "quiet", undefined, "/etc/rdinit.ini, line 11"],
      ["boot", "rd.shell", "false", "/etc/rdinit.ini, line 12"],
      ["boot", "empty", "", "/etc/rdinit.ini, line 13"],
    ]);
  });
  test("a key alone stays so whatever the comment behind it says", () => {
    const content = "quiet ; the same as quiet = yes\nrw # root=LABEL=x rw\nlevel\\;s = 9 ; a = b\n";
    expect(read(content).map(({ key, value }) => [key, value])).toEqual([
      ["quiet", undefined],
      ["rw", undefined],
      ["level;s", "9"],
    ]);
  });
  test("what is neither a section nor a key is refused with its line", () => {
    for (const line of ["= value", "[image", "[a]b = c"])
      expect(() => read(`\n${line}\n`)).toThrow(
        `/etc/rdinit.ini, line 2: '${line}' is neither a [section] nor KEY = VALUE.`,
      );
  });
  test("nothing crashes it, and every key that it gives has a line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (content) => {
        try {
          for (const { key, place } of read(content)) {
            expect(key).not.toBe("");
            expect(place).toMatch(/line \d+$/);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});
