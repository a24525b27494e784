import { describe, expect, test } from "bun:test";
import { bootWords, checkBootWords } from "../../../src/config/boot-section.ts";
import { readIni } from "../../../src/config/ini-file.ts";

function words(content: string): string[] {
  return bootWords(readIni(`[boot]\n${content}`, "rdinit.ini"));
}

describe("bootWords", () => {
  test("keys become words as the kernel would pass them", () => {
    expect(
      words('root = UUID=1234\nrd.timeout = 60\nrootflags = "a,b=c d"\nrw\nvirtio_blk.queue_depth = 8'),
    ).toEqual(["root=UUID=1234", "rd.timeout=60", 'rootflags="a,b=c d"', "rw", "virtio_blk.queue_depth=8"]);
  });
  test("yes and no turn a word without a value on and off", () => {
    expect(words("quiet = yes\nrw = no\nro = on\ndebug = 0\nrd.shell = no")).toEqual([
      "quiet",
      "ro",
      "rd.shell=no",
    ]);
    expect(() => words("quiet = perhaps")).toThrow(
      "rdinit.ini, line 2: quiet is either yes or no, not 'perhaps'.",
    );
  });
  test("what /init does not know, or would complain of, is refused with its line", () => {
    expect(() => words("quiet\nrootdely = 5")).toThrow(
      "rdinit.ini, line 3: /init knows no parameter rootdely.",
    );
    expect(() => words("rd.unknown = 5")).toThrow("/init knows no parameter rd.unknown.");
    expect(() => words("rd.timeout = soon")).toThrow(
      "line 2: rd.timeout=soon makes no sense: it is not a number",
    );
    expect(() => words("root = '\"'")).toThrow("a character that a kernel parameter can't hold");
  });
});

test("checkBootWords takes what the kernel command line may hold for /init, and nothing else", () => {
  expect(() =>
    checkBootWords('root=LABEL="my root" quiet ext4.x=y module_blacklist=a', "--cmdline"),
  ).not.toThrow();
  expect(() => checkBootWords("single", "--cmdline")).toThrow("--cmdline: /init knows no parameter single.");
});
