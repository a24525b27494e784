import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { exposure, privateFiles } from "../../../src/image/exposure.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const file = join(temporaryTree({ image: "" }), "image");

test("files that only their owner may read are private; device nodes and hard links are not", () => {
  const files = [
    { path: "etc/dropbear/key", type: "file", mode: 0o600 },
    { path: "/root/key", type: "file", mode: 0o400 },
    { path: "etc/passwd", type: "file", mode: 0o644 },
    { path: "etc/group", type: "file", mode: 0o640 },
    { path: "dev/console", type: "char", mode: 0o600 },
    { path: "root", type: "directory", mode: 0o700 },
    { path: "etc/other", type: "link" },
  ];
  expect(privateFiles(files)).toEqual(["/etc/dropbear/key", "/root/key"]);
});

test("an image that others can read is told, with a few of what it holds", () => {
  chmodSync(file, 0o600);
  expect(exposure(file, ["/key"])).toEqual([]);
  for (const mode of [0o644, 0o640, 0o604, 0o755]) {
    chmodSync(file, mode);
    expect(exposure(file, [])).toEqual([]);
    expect(exposure(file, ["/a", "/b", "/c", "/d"])).toEqual([
      `${file} can be read by others, and holds what nobody but its owner may read: /a, /b, /c and 1 more. ` +
        "Where the filesystem keeps no modes, as vfat, mount it with umask=0077.",
    ]);
  }
  expect(exposure("/nowhere", ["/key"])).toEqual([]);
});
