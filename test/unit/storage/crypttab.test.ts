import { describe, expect, test } from "bun:test";
import { isRandomKey, parseCrypttab, readKey } from "../../../src/storage/crypttab.ts";

describe("parseCrypttab", () => {
  test("takes a line apart, and remembers where it stood", () => {
    expect(parseCrypttab("# name device\n\n\troot UUID=ab none luks,discard\n")).toEqual({
      entries: [
        {
          name: "root",
          device: "UUID=ab",
          key: undefined,
          options: "luks,discard",
          line: 3,
          text: "\troot UUID=ab none luks,discard",
        },
      ],
      notes: [],
    });
  });
  test("key and options may be left out, and what follows them counts for nothing", () => {
    expect(parseCrypttab("a /dev/b").entries).toMatchObject([{ key: undefined, options: "" }]);
    expect(parseCrypttab("a /dev/b - luks # mine").entries).toMatchObject([
      { key: undefined, options: "luks" },
    ]);
  });
  test("decodes Debian's escapes, and leaves udev's alone", () => {
    const [entry] = parseCrypttab("a\\040b /dev/disk/by-label/x\\x20y /k\\0134e x\\054y").entries;
    expect(entry).toMatchObject({
      name: "a b",
      device: "/dev/disk/by-label/x\\x20y",
      key: { path: "/k\\e" },
      options: "x,y",
    });
  });
  test("a line that makes no sense is a sentence with its number", () => {
    expect(parseCrypttab("root\na/b /dev/x\n.. /dev/x\na\\0 /dev/x\n").notes).toEqual([
      "/etc/crypttab, line 1, is left out: it lacks a device (a line is: name, device, key, options).",
      "/etc/crypttab, line 2, is left out: its name is no file name, and has to become one below /dev/mapper.",
      "/etc/crypttab, line 3, is left out: its name is no file name, and has to become one below /dev/mapper.",
      "/etc/crypttab, line 4, is left out: it holds a zero byte.",
    ]);
  });
});

describe("readKey", () => {
  test("a key may be on another device", () => {
    expect(readKey("/keys/root:UUID=ab-cd")).toEqual({ path: "/keys/root", device: "UUID=ab-cd" });
    expect(readKey("/keys/a:b:/dev/sdb1")).toEqual({ path: "/keys/a:b", device: "/dev/sdb1" });
  });
  test("another colon belongs to the path", () => {
    for (const path of ["/keys/a:b", ":UUID=x", "/keys/a:UUID=", "/dev/sda1"])
      expect(readKey(path)).toEqual({ path, device: undefined });
  });
  test("no key is a passphrase", () => {
    for (const none of ["none", "-", ""]) expect(readKey(none)).toBeUndefined();
  });
  test("a random key is one that no boot sees twice", () => {
    expect(isRandomKey(readKey("/dev/urandom"))).toBe(true);
    expect(isRandomKey(readKey("/etc/keys/urandom"))).toBe(false);
    expect(isRandomKey(undefined)).toBe(false);
  });
});
