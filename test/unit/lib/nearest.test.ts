import { expect, test } from "bun:test";
import { nearest } from "../../../src/lib/nearest.ts";

const names = ["image", "list", "cat", "unpack", "check", "plan", "initramfs-list", "uki"];

test.each([
  ["imgae", "image"],
  ["chekc", "check"],
  ["lst", "list"],
  ["initramfs", "initramfs-list"],
  ["un", "unpack"],
  ["unpak", "unpack"],
])("%s means %s", (word, name) => expect(nearest(word, names)).toBe(name));

test.each(["", "frobnicate", "dog", "-------"])("'%s' means none of them", (word) =>
  expect(nearest(word, names)).toBeUndefined(),
);
