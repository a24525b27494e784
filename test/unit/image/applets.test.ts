import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { staticBusybox } from "../../../qemu/images.ts";
import { run } from "../../../qemu/host.ts";
import { readApplets } from "../../../src/image/applets.ts";

test("a busybox's programs are what it lists itself", async () => {
  const busybox = staticBusybox();
  const listed = (await run([busybox, "--list"])).trim().split("\n");
  expect(readApplets(readFileSync(busybox))).toEqual(listed);
});

test.each([
  ["nothing", ""],
  ["another program", "\x7fELF\0[\0[[\0Acpid\0"],
])("%s has none", (_, content) => {
  expect(readApplets(Buffer.from(content, "latin1"))).toEqual([]);
});

test("what is behind the table, or cut off, is no name", () => {
  const table = "\0[\0[[\0acpid\0add-shell\0zcat\0(null)\0zz\0";
  expect(readApplets(Buffer.from(table))).toEqual(["[", "[[", "acpid", "add-shell", "zcat"]);
  expect(readApplets(Buffer.from("\0[\0[[\0acpid\0add-sh"))).toEqual(["[", "[[", "acpid"]);
});
