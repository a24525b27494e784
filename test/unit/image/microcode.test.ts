import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCpio } from "../../../src/image/cpio-reader.ts";
import { writeCpio } from "../../../src/image/cpio.ts";
import { parseCpuinfo } from "../../../src/image/cpuinfo.ts";
import { readAmdMicrocode, readIntelMicrocode } from "../../../src/image/microcode-files.ts";
import { microcodeArchive } from "../../../src/image/microcode.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { makeAmdContainer, makeCpuinfo, makeIntelUpdate } from "../../fixtures/microcode.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

const INTEL = "lib/firmware/intel-ucode";
const AMD = "lib/firmware/amd-ucode";
const KABY_LAKE = [6, 0x8e, 9] as const;
const KABY_LAKE_SIGNATURE = 0x806e9;
const ZEN3 = [0x19, 0x11, 1] as const;
const ZEN3_SIGNATURE = 0xa10f11;

const update = makeIntelUpdate({ signature: KABY_LAKE_SIGNATURE });
const other = makeIntelUpdate({ signature: 0x906ea });
const zen3 = makeAmdContainer({
  processors: [{ signature: ZEN3_SIGNATURE, mark: 0xa111 }],
  patches: [{ mark: 0xa111 }],
});
const old = makeAmdContainer({
  processors: [{ signature: 0x100f42, mark: 0x1043 }],
  patches: [{ mark: 0x1043 }],
});

/** The files of the archive, by name. */
function filesOf(entries: ReturnType<typeof microcodeArchive>["entries"]): Record<string, Uint8Array> {
  const archive = Buffer.concat([...writeCpio(entries)]);
  const members = [...readCpio(archive)].filter(({ type }) => type === "file");
  return Object.fromEntries(members.map(({ path, data }) => [path, data]));
}

describe("parseCpuinfo", () => {
  test("names each kind of processor once, with its signature", () => {
    expect(parseCpuinfo(makeCpuinfo("GenuineIntel", KABY_LAKE)).processors).toEqual([
      { vendor: "GenuineIntel", family: 6, model: 0x8e, stepping: 9, signature: KABY_LAKE_SIGNATURE },
    ]);
    const mixed = makeCpuinfo("AuthenticAMD", ZEN3) + makeCpuinfo("AuthenticAMD", [0x19, 0x11, 2]);
    expect(parseCpuinfo(mixed).processors.map(({ signature }) => signature)).toEqual([
      ZEN3_SIGNATURE,
      ZEN3_SIGNATURE + 1,
    ]);
  });
  test("tells a virtual machine", () => {
    expect(parseCpuinfo(makeCpuinfo("GenuineIntel", KABY_LAKE)).isVirtual).toBe(false);
    expect(parseCpuinfo(makeCpuinfo("GenuineIntel", KABY_LAKE, "fpu hypervisor lm")).isVirtual).toBe(true);
  });
  test("finds the processor that runs this test as CPUID describes it", () => {
    const [processor] = parseCpuinfo(readFileSync("/proc/cpuinfo", "latin1")).processors;
    expect(processor?.vendor).toMatch(/^[A-Za-z ]{12}$/);
    expect(processor?.signature).toBeGreaterThan(0);
  });
  test("other machines have none", () => {
    for (const cpuinfo of [
      "",
      "\n\n",
      "processor\t: 0\nBogoMIPS\t: 50\nCPU part\t: 0xd0c\n",
      "cpu family\t: x\n",
    ])
      expect(parseCpuinfo(cpuinfo)).toEqual({ processors: [], isVirtual: false });
  });
});

describe("readIntelMicrocode", () => {
  test("reads updates of all forms, one behind the other", () => {
    expect([...readIntelMicrocode(update)]).toEqual([KABY_LAKE_SIGNATURE]);
    expect([...readIntelMicrocode(makeIntelUpdate({ signature: 1, dataSize: 0 }))]).toEqual([1]);
    const extended = makeIntelUpdate({ signature: 5, others: [6, 7] });
    expect([...readIntelMicrocode(Buffer.concat([update, extended]))]).toEqual([
      KABY_LAKE_SIGNATURE,
      5,
      6,
      7,
    ]);
  });
  test("damage is told", () => {
    const extended = makeIntelUpdate({ signature: 5, others: [6, 7] });
    for (const [file, message] of [
      [new Uint8Array(0), "it is empty"],
      [update.subarray(0, 47), "it is cut short"],
      [update.subarray(0, 1023), "it is cut short"],
      [changed(update, 0, 2), "it has an update of an unknown kind"],
      [changed(update, 500, 0), "its checksum is wrong"],
      [changed(update, 33, 0), "the sizes in it do not agree"],
      [changed(extended, 48 + 976 - 44, 3), "the sizes in it do not agree"],
      [changed(extended, 1023, 1), "the checksum of its table is wrong"],
      [Buffer.concat([update, Buffer.alloc(100)]), "it has an update of an unknown kind"],
    ] as const)
      expect(() => readIntelMicrocode(file)).toThrow(message);
  });
  test("a table whose own sum is right is still checked entry by entry", () => {
    const file = makeIntelUpdate({ signature: 5, others: [6, 7] });
    const view = new DataView(file.buffer);
    view.setUint32(1008, view.getUint32(1008, true) + 1, true);
    view.setUint32(1020, view.getUint32(1020, true) - 1, true);
    expect(() => readIntelMicrocode(file)).toThrow("a checksum in its table is wrong");
  });
});

describe("readAmdMicrocode", () => {
  test("reads containers one behind the other; what has no patch does not count", () => {
    const two = makeAmdContainer({
      processors: [
        { signature: 0x800f12, mark: 0x8012 },
        { signature: 0x800f82, mark: 0x8082 },
        { signature: 0x800f83, mark: 0x8082 },
      ],
      patches: [{ mark: 0x9999 }, { mark: 0x8082, size: 3200 }],
    });
    expect([...readAmdMicrocode(two)]).toEqual([0x800f82, 0x800f83]);
    expect([...readAmdMicrocode(Buffer.concat([old, two]))]).toEqual([0x100f42, 0x800f82, 0x800f83]);
  });
  test("damage is told", () => {
    const patchAt = 12 + 32;
    for (const [file, message] of [
      [new Uint8Array(0), "it is cut short"],
      [zen3.subarray(0, 40), "it is cut short"],
      [zen3.subarray(0, zen3.length - 1), "it is cut short"],
      [changed(zen3, 0, 0), "it is no container of microcode"],
      [changed(zen3, 4, 1), "it does not begin with a table of processors"],
      [changed(zen3, 8, 0), "it does not begin with a table of processors"],
      [changed(zen3, patchAt, 2), "it has a patch of an unknown kind"],
      [changed(zen3, patchAt + 4, 63), "it has a patch of an unknown kind"],
      [Buffer.concat([zen3, Buffer.from("junk")]), "it is cut short"],
    ] as const)
      expect(() => readAmdMicrocode(file)).toThrow(message);
  });
});

describe("microcodeArchive", () => {
  const root = new RootTree(
    temporaryTree({
      [`${INTEL}/06-8e-09`]: update,
      [`${INTEL}/06-8e-09.initramfs`]: makeIntelUpdate({ signature: KABY_LAKE_SIGNATURE, dataSize: 2000 }),
      [`${INTEL}/06-9e-0a.xz`]: xz(other),
      [`${INTEL}/06-9e-0b`]: update.subarray(0, 500),
      [`${INTEL}/list`]: "no microcode",
      [`${AMD}/microcode_amd.bin`]: old,
      [`${AMD}/microcode_amd.bin.asc`]: "a signature",
      [`${AMD}/microcode_amd_fam19h.bin.zst`]: Bun.zstdCompressSync(zen3),
    }),
  );

  test("for this processor alone: Intel's, with what Debian keeps for the early loader", () => {
    const { entries, notes } = microcodeArchive(root, "host", makeCpuinfo("GenuineIntel", KABY_LAKE));
    const files = filesOf(entries);
    expect(Object.keys(files)).toEqual(["kernel/x86/microcode/GenuineIntel.bin"]);
    expect(files["kernel/x86/microcode/GenuineIntel.bin"]?.length).toBe(1024 + 2048);
    expect(notes).toEqual([]);
  });
  test("for this processor alone: AMD's, by its family and its table", () => {
    const { entries, notes } = microcodeArchive(root, "host", makeCpuinfo("AuthenticAMD", ZEN3));
    expect(filesOf(entries)).toEqual({ "kernel/x86/microcode/AuthenticAMD.bin": Buffer.from(zen3) });
    expect(notes).toEqual([]);
    // The first family with a file of its own.
    const bulldozer = makeAmdContainer({
      processors: [{ signature: 0x600f12, mark: 0x6012 }],
      patches: [{ mark: 0x6012 }],
    });
    const own = new RootTree(
      temporaryTree({ [`${AMD}/microcode_amd_fam15h.bin`]: bulldozer, [`${AMD}/microcode_amd.bin`]: old }),
    );
    const found = microcodeArchive(own, "host", makeCpuinfo("AuthenticAMD", [0x15, 1, 2]));
    expect(filesOf(found.entries)).toEqual({
      "kernel/x86/microcode/AuthenticAMD.bin": Buffer.from(bulldozer),
    });
    const k10 = microcodeArchive(root, "host", makeCpuinfo("AuthenticAMD", [0x10, 4, 2]));
    expect(filesOf(k10.entries)).toEqual({ "kernel/x86/microcode/AuthenticAMD.bin": Buffer.from(old) });
  });
  test("for all, with a word about a damaged file", () => {
    const { entries, notes } = microcodeArchive(root, "all", "");
    expect(entries.map(({ path, type }) => [path, type])).toEqual([
      ["kernel", "directory"],
      ["kernel/x86", "directory"],
      ["kernel/x86/microcode", "directory"],
      ["kernel/x86/microcode/GenuineIntel.bin", "file"],
      ["kernel/x86/microcode/AuthenticAMD.bin", "file"],
    ]);
    const files = filesOf(entries);
    expect([
      ...readIntelMicrocode(files["kernel/x86/microcode/GenuineIntel.bin"] ?? new Uint8Array(0)),
    ]).toEqual([KABY_LAKE_SIGNATURE, 0x906ea]);
    expect(files["kernel/x86/microcode/AuthenticAMD.bin"]).toEqual(Buffer.concat([old, zen3]));
    expect(notes).toEqual([`${root.outside(`/${INTEL}`)}/06-9e-0b is left out, as it is cut short.`]);
  });
  test("a file that can't be unpacked is left out", () => {
    const damaged = new RootTree(temporaryTree({ [`${INTEL}/06-8e-09.xz`]: xz(update).subarray(0, 60) }));
    const { entries, notes } = microcodeArchive(damaged, "host", makeCpuinfo("GenuineIntel", KABY_LAKE));
    expect(entries).toEqual([]);
    expect(notes[0]).toMatch(/06-8e-09\.xz is left out, as it is damaged: .* can't be unpacked as xz: /);
  });
  test("what a file's name promises and its table does not hold is not taken", () => {
    const misnamed = new RootTree(temporaryTree({ [`${AMD}/microcode_amd_fam19h.bin`]: old }));
    const { entries, notes } = microcodeArchive(misnamed, "host", makeCpuinfo("AuthenticAMD", ZEN3));
    expect(entries).toEqual([]);
    expect(notes).toEqual([
      `There is no microcode for this processor: ${misnamed.outside(`/${AMD}`)} has none for it.`,
    ]);
  });
  test("what is not installed is named with its package, but in a virtual machine", () => {
    const empty = new RootTree(temporaryDirectory());
    const host = (flags?: string) =>
      microcodeArchive(empty, "host", makeCpuinfo("GenuineIntel", KABY_LAKE, flags));
    const missing = `the package intel-microcode is not installed (${empty.outside(`/${INTEL}`)})`;
    expect(host()).toEqual({
      entries: [],
      notes: [`There is no microcode for this processor: ${missing}.`],
    });
    expect(host("fpu hypervisor")).toEqual({ entries: [], notes: [] });
    expect(microcodeArchive(empty, "host", makeCpuinfo("CentaurHauls", [6, 15, 3])).notes).toEqual([]);
    expect(microcodeArchive(empty, "all", "").notes).toEqual([
      `There is no microcode: ${missing}, and the package amd64-microcode is not installed (${empty.outside(`/${AMD}`)}).`,
    ]);
  });
  test("the data begin at multiples of 16, cpio(1) reads the archive, and it ends where another may begin", () => {
    const { entries } = microcodeArchive(root, "all", "");
    const archive = Buffer.concat([...writeCpio(entries)]);
    expect(archive.length % 4).toBe(0);
    const found = [...readCpio(archive)].filter(({ type }) => type === "file");
    expect(found.map(({ data }) => (data.byteOffset - archive.byteOffset) % 16)).toEqual([0, 0]);
    const directory = temporaryDirectory();
    const { stderr } = Bun.spawnSync(["cpio", "-id", "--quiet"], { stdin: archive, cwd: directory });
    expect(stderr.toString()).toBe("");
    for (const { path, data } of found)
      expect(Buffer.compare(readFileSync(join(directory, path)), data)).toBe(0);
  });
});

function changed(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(file);
  copy[at] = value;
  return copy;
}

function xz(data: Uint8Array): Uint8Array {
  const file = join(temporaryDirectory(), "data");
  writeFileSync(file, data);
  return Bun.spawnSync(["xz", "--check=crc32", "-c", file]).stdout;
}
