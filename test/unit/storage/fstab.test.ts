import { describe, expect, test } from "bun:test";
import { parseFstab, sameMountPoint } from "../../../src/storage/fstab.ts";
import { hasOption, optionValue, splitOptions } from "../../../src/storage/option-list.ts";

describe("parseFstab", () => {
  test("takes a line apart, and remembers where it stood", () => {
    const content = "# /etc/fstab\n\n \tUUID=ab\t/usr\text4  ro,x-initrd.mount 0 2\r\n";
    expect(parseFstab(content)).toEqual({
      entries: [
        {
          device: "UUID=ab",
          mountPoint: "/usr",
          type: "ext4",
          options: "ro,x-initrd.mount",
          frequency: 0,
          pass: 2,
          line: 3,
          text: " \tUUID=ab\t/usr\text4  ro,x-initrd.mount 0 2",
        },
      ],
      notes: [],
    });
  });
  test("decodes octal escapes, and nothing else", () => {
    const [entry] = parseFstab("LABEL=my\\040disk /mnt/a\\011b\\134 ext4 x=\\x20\\8\n").entries;
    expect(entry).toMatchObject({
      device: "LABEL=my disk",
      mountPoint: "/mnt/a\tb\\",
      options: "x=\\x20\\8",
    });
  });
  test("options and numbers may be left out", () => {
    expect(parseFstab("a /b auto").entries).toMatchObject([{ options: "", frequency: 0, pass: 0 }]);
    expect(parseFstab("a /b auto ro 1").entries).toMatchObject([{ options: "ro", frequency: 1, pass: 0 }]);
    expect(parseFstab("a /b auto ro 0 2 more").entries).toMatchObject([{ pass: 2 }]);
  });
  test("a line that makes no sense is a sentence with its number", () => {
    expect(parseFstab("/dev/vda1 /\n/dev/vda2 /a ext4 ro # mine\nx\\000 /b ext4\n")).toEqual({
      entries: [],
      notes: [
        "/etc/fstab, line 1, is left out: it lacks a type (a line is: device, mount point, type, options).",
        "/etc/fstab, line 2, is left out: # stands where a number has to.",
        "/etc/fstab, line 3, is left out: it holds a zero byte.",
      ],
    });
  });
});

test("slashes do not make another mount point", () => {
  expect(sameMountPoint("//usr/", "/usr")).toBe(true);
  expect(sameMountPoint("/", "//")).toBe(true);
  expect(sameMountPoint("/usr", "/usr/local")).toBe(false);
});

describe("lists of options", () => {
  test("a comma in quotes or behind a backslash ends no option", () => {
    expect(splitOptions('ro,,context="a,b",lowerdir=/x\\,y')).toEqual([
      "ro",
      'context="a,b"',
      "lowerdir=/x\\,y",
    ]);
    expect(splitOptions("")).toEqual([]);
  });
  test("an option is found with a value or without, and the last value counts", () => {
    expect(hasOption("ro,tmp=ext4", "tmp")).toBe(true);
    expect(hasOption("ro,tmpx", "tmp")).toBe(false);
    expect(optionValue("header=/a,header=/b=c", "header")).toBe("/b=c");
    expect(optionValue("header", "header")).toBeUndefined();
  });
});
