import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { elfSection, parseElf } from "../../../src/image/elf.ts";
import { makeElf, makeModule } from "../../fixtures/elf.ts";

describe("parseElf", () => {
  for (const bits of [32, 64] as const)
    for (const littleEndian of [true, false])
      test(`reads ${bits} bits, ${littleEndian ? "little" : "big"}-endian`, () => {
        const recipe = {
          bits,
          littleEndian,
          machine: 21,
          interpreter: "/lib/ld.so",
          needed: ["libc.so.6", "libm.so.6"],
          soname: "libx.so.1",
          rpath: "/a",
          runpath: "$ORIGIN/../lib",
        };
        const elf = parseElf(makeElf(recipe));
        const { symbols, ...expected } = { ...recipe, type: 3, flags: 0, symbols: [] };
        expect(symbols).toEqual([]);
        expect(elf).toMatchObject(expected);
      });

  test("a program without a dynamic section needs nothing", () => {
    expect(parseElf(makeModule([]))).toMatchObject({ needed: [], interpreter: undefined, type: 1 });
  });
  test("other files are none, damaged ones are said to be", () => {
    expect(parseElf(Buffer.from("#!/bin/sh\n"))).toBeUndefined();
    expect(parseElf(new Uint8Array(0))).toBeUndefined();
    expect(() => parseElf(Buffer.from("\x7fELF"))).toThrow("its ELF header is of an unknown kind");
    const whole = makeElf({ needed: ["libc.so.6"] });
    expect(() => parseElf(whole.subarray(0, whole.length - 1))).not.toThrow();
    for (const length of [5, 6, 20, 64, 100, 180])
      expect(() => parseElf(whole.subarray(0, length))).toThrow();
  });
});

describe("elfSection", () => {
  test("finds a section by its name", () => {
    const module = makeModule(["license=GPL", "depends="]);
    expect(Buffer.from(elfSection(module, ".modinfo") ?? []).toString()).toBe("license=GPL\0depends=\0");
    expect(elfSection(module, ".bss")?.length).toBe(0);
    expect(elfSection(module, ".text")).toBeUndefined();
  });
  test("what is no ELF file is said to be none", () => {
    expect(() => elfSection(Buffer.from("x"), ".modinfo")).toThrow("it is no ELF file");
  });
});

const FILES = [
  "sh",
  "ls",
  "xz",
  "cpio",
  "readelf",
  "mdadm",
  "lvm",
  "cryptsetup",
  "mkfs.ext4",
  "bun",
  "qemu-img",
]
  .map((name) => Bun.which(name, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }))
  .filter((path) => path !== null);

describe("readelf(1) says the same", () => {
  test("of several programs", () => {
    expect(FILES.length).toBeGreaterThan(3);
  });
  for (const path of FILES)
    test(`of ${path}`, () => {
      const { stdout } = Bun.spawnSync(["readelf", "-W", "-d", "-l", path]);
      const listing = stdout.toString("latin1");
      const values = (label: string) =>
        [...listing.matchAll(new RegExp(`\\(${label}\\).*\\[(.*)\\]$`, "gm"))].map(([, value]) => value);
      const elf = parseElf(readFileSync(path));
      expect(existsSync(path)).toBe(true);
      expect([...(elf?.needed ?? [])]).toEqual(values("NEEDED").map(String));
      expect(elf?.runpath).toBe(values("RUNPATH")[0]);
      expect(elf?.rpath).toBe(values("RPATH")[0]);
      expect(elf?.soname).toBe(values("SONAME")[0]);
      expect(elf?.interpreter).toBe(/interpreter: (.*)\]/.exec(listing)?.[1]);
    });
});
