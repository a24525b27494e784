import { expect, test } from "bun:test";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { namesRoot, runningRoot } from "../../../src/install/real-root.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

test.each([
  ["root=LABEL=x quiet", true],
  ["rd.root=/dev/a", true],
  ["quiet rd.lvm.lv=a/root", false],
  ["root", false],
  ["", false],
])("%p: %p", (words, expected) => {
  expect(namesRoot(words)).toBe(expected);
});

test("the running root is named by the link that leads to its device, or not at all", () => {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, "by-uuid"));
  const byUuid = join(dir, "by-uuid");
  const dev = statSync("/dev/null").rdev;
  expect(runningRoot(byUuid, dev)).toBeUndefined();
  expect(runningRoot(join(dir, "nowhere"), dev)).toBeUndefined();
  symlinkSync("/nowhere", join(byUuid, "broken"));
  symlinkSync("/dev/zero", join(byUuid, "other"));
  expect(runningRoot(byUuid, dev)).toBeUndefined();
  symlinkSync("/dev/null", join(byUuid, "this"));
  expect(runningRoot(byUuid, dev)).toBe("root=UUID=this");
});
