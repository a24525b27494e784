import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../src/lib/errors.ts";
import { parsePe, peSection } from "../../../src/image/pe.ts";
import { joinArchives, makeUki, type UkiParts } from "../../../src/image/uki.ts";
import { makeKernel, makePe, makeStub } from "../../fixtures/pe.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

const SYSTEMD_STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
const input = (path: string, data: Uint8Array | string) => ({ path, data: Buffer.from(data) });
const stub = (...names: string[]) => input("/stub", makeStub(names));
const kernel = makeKernel({ sizeOfImage: 0x12345 });
const base: UkiParts = { stub: stub(), linux: input("/vmlinuz", kernel), initrds: [] };
const full: UkiParts = {
  ...base,
  stub: input(SYSTEMD_STUB, readFileSync(SYSTEMD_STUB)),
  initrds: [input("/one", "first"), input("/two", "second")],
  commandLine: "root=/dev/vda quiet",
  osRelease: "ID=test\nNAME='A test'\n",
  splash: input("/picture.bmp", "BM a picture"),
};

function contents(parts: UkiParts): Record<string, string> {
  const { sections } = parsePe(makeUki(parts, 0).file);
  return Object.fromEntries(
    sections.map(({ name, data, virtualSize }) => [
      name,
      Buffer.from(data.subarray(0, virtualSize)).toString("latin1"),
    ]),
  );
}

function kernelWithSbat(lines: string): UkiParts["linux"] {
  const sections = [
    { name: ".text", data: "x" },
    { name: ".sbat", data: lines },
  ];
  return input("/vmlinuz", makeKernel({ sections }));
}

describe("makeUki", () => {
  test("puts each part into the section that the specification names, and the kernel last", () => {
    const { ".linux": linux, ...others } = contents(full);
    expect(Object.keys(others).slice(-5)).toEqual([".osrel", ".cmdline", ".uname", ".splash", ".initrd"]);
    expect(others).toMatchObject({
      ".osrel": "ID=test\nNAME='A test'\n",
      ".cmdline": "root=/dev/vda quiet",
      ".uname": "6.1.0-test",
      ".splash": "BM a picture",
      ".initrd": "first\0\0\0second\0\0",
    });
    expect(linux?.startsWith(Buffer.from(kernel).toString("latin1"))).toBe(true);
    expect(Object.keys(contents(full)).at(-1)).toBe(".linux");
  });

  test("objcopy takes the same out of it", () => {
    const dir = temporaryDirectory();
    const file = join(dir, "uki.efi");
    writeFileSync(file, makeUki(full, 0).file);
    for (const [name, expected] of Object.entries(contents(full)).slice(-6, -1)) {
      const to = join(dir, name);
      const { stderr } = Bun.spawnSync([
        "objcopy",
        "--dump-section",
        `${name}=${to}`,
        file,
        join(dir, "copy"),
      ]);
      expect(stderr.toString()).toBe("");
      expect(readFileSync(to, "latin1")).toBe(expected);
    }
  });

  test("the kernel has the memory that it takes, and the program covers it", () => {
    const image = parsePe(makeUki(base, 0).file);
    const linux = image.sections.at(-1);
    expect(linux).toMatchObject({ name: ".linux", virtualSize: 0x12345 });
    expect(image.sizeOfImage).toBeGreaterThanOrEqual((linux?.virtualAddress ?? 0) + 0x12345);
    // More file than memory, as with a kernel's signature: nothing is cut off.
    const long = Buffer.concat([makeKernel({ sizeOfImage: 0x100 }), Buffer.alloc(5000, "s")]);
    const cut = parsePe(makeUki({ ...base, linux: input("/vmlinuz", long) }, 0).file);
    expect(Buffer.compare(peSection(cut, ".linux") ?? new Uint8Array(0), long)).toBe(0);
  });

  test("what is not given is not in it, but the kernel's release", () => {
    const names = Object.keys(contents(base));
    expect(names).toEqual([".text", ".sbat", ".rodata", ".bss", ".uname", ".linux"]);
    expect(contents({ ...base, uname: "mine" })[".uname"]).toBe("mine");
    const nameless = input("/vmlinuz", makeKernel({ release: "" }));
    expect(contents({ ...base, linux: nameless })[".uname"]).toBeUndefined();
  });

  test("microcode has its own section if the stub knows it, and else comes first", () => {
    const parts = { ...base, initrds: [input("/one", "first")], microcode: input("/ucode", "update") };
    expect(contents(parts)).toMatchObject({ ".initrd": "update\0\0first\0\0\0" });
    expect(contents(parts)[".ucode"]).toBeUndefined();
    expect(contents({ ...parts, stub: stub(".ucode") })).toMatchObject({
      ".initrd": "first\0\0\0",
      ".ucode": "update",
    });
    expect(contents({ ...parts, initrds: [] })[".initrd"]).toBe("update\0\0");
  });

  test("the kernel's SBAT lines are added to the stub's", () => {
    const same = "sbat,1,SBAT Version\nstub,1,The stub\n";
    expect(contents({ ...base, linux: kernelWithSbat(same) })[".sbat"]).toBe(same);
    const merged = contents({ ...base, linux: kernelWithSbat("sbat,1,SBAT Version\nlinux,1,Linux\n\0\0") });
    expect(merged[".sbat"]).toBe("sbat,1,SBAT Version\nstub,1,The stub\nlinux,1,Linux\n");
    expect(Object.keys(merged).filter((name) => name === ".sbat")).toHaveLength(1);
    const bare = makePe({ sections: [{ name: ".text", data: ".linux\0" }] });
    const alone = contents({
      ...base,
      stub: input("/stub", bare),
      linux: kernelWithSbat("sbat,1,S\nlinux,1,L\n"),
    });
    expect(alone[".sbat"]).toBe("sbat,1,S\nlinux,1,L\n");
  });

  test("the same parts make the same bytes; the time is in its place", () => {
    const { file } = makeUki(full, 0);
    expect(Buffer.compare(file, makeUki(full, 0).file)).toBe(0);
    const later = makeUki(full, 0x1234_5678).file;
    const at = new DataView(later.buffer).getUint32(0x3c, true) + 8;
    expect(new DataView(later.buffer).getUint32(at, true)).toBe(0x1234_5678);
    expect(makeUki(full, 0).sections.at(-1)).toEqual({ name: ".linux", size: kernel.length });
  });

  const wrong: readonly (readonly [what: string, parts: UkiParts, message: string])[] = [
    [
      "a kernel that is none",
      { ...base, linux: input("/vmlinuz", "text") },
      "/vmlinuz can't be the kernel of a UKI: it is no bzImage, the form of a kernel for x86.",
    ],
    [
      "a UKI as the kernel",
      { ...base, linux: input("/uki", makeUki(base, 0).file) },
      "/uki can't be the kernel of a UKI: it is no bzImage, the form of a kernel for x86.",
    ],
    [
      "a stub that is none",
      { ...base, stub: input("/stub", "text") },
      "/stub can't be the stub of a UKI: it is no EFI program.",
    ],
    [
      "a UKI as the stub",
      { ...base, stub: input("/stub", makeUki(base, 0).file) },
      "/stub can't be the stub of a UKI: it has a kernel already.",
    ],
    [
      "another EFI program as the stub",
      { ...base, stub: input("/stub", makePe({ sections: [{ name: ".text", data: "hello" }] })) },
      "/stub can't be the stub of a UKI: it does not look for a kernel behind it.",
    ],
    [
      "a stub for another machine",
      { ...base, stub: input("/stub", makeStub([], { machine: 0xaa64 })) },
      "/stub can't be the stub of a UKI: it is no EFI application for x86-64.",
    ],
    [
      "a driver as the stub",
      { ...base, stub: input("/stub", makeStub([], { subsystem: 11 })) },
      "/stub can't be the stub of a UKI: it is no EFI application for x86-64.",
    ],
    [
      "a signed stub",
      { ...base, stub: input("/stub", makeStub([], { directories: [{ index: 4, address: 9, size: 9 }] })) },
      "/stub can't be the stub of a UKI: it is signed, and its signature would be void.",
    ],
    [
      "a stub without room for headers",
      { ...base, stub: input("/stub", makeStub([], { firstAddress: 0x200, alignment: [0x200, 0x200] })) },
      "The UKI can't be put together on /stub: its headers have no room for 6 sections.",
    ],
    [
      "a NUL in the command line",
      { ...base, commandLine: "a\0b" },
      "The command line holds a NUL character, behind which nothing would be read.",
    ],
    [
      "a NUL in os-release",
      { ...base, osRelease: "A=\0" },
      "The os-release holds a NUL character, behind which nothing would be read.",
    ],
    [
      "a long command line",
      { ...base, commandLine: "x".repeat(2048) },
      "The command line has 2048 bytes, and this kernel reads 2047.",
    ],
    [
      "another picture",
      { ...base, splash: input("/p.png", "\x89PNG") },
      "The splash image /p.png is no Windows bitmap (.bmp).",
    ],
  ];
  for (const [what, parts, message] of wrong)
    test(`${what} is refused`, () => {
      expect(() => makeUki(parts, 0)).toThrow(UserError);
      expect(() => makeUki(parts, 0)).toThrow(new UserError(message));
    });
});

test("joinArchives begins each at a multiple of four", () => {
  const joined = joinArchives(["", "a", "bcde", "fgh"].map((data) => Buffer.from(data)));
  expect(Buffer.from(joined).toString()).toBe("a\0\0\0bcdefgh\0");
});
