import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "bun";
import { readData } from "../../../src/image/cpio.ts";
import { collectModules, type ImageModule } from "../../../src/image/kmod.ts";
import { moduleInfoValues, readModuleInfo } from "../../../src/image/modinfo.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { makeModule } from "../../fixtures/elf.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const RELEASE = "6.1.0-test";
const M = `lib/modules/${RELEASE}`;

function xz(data: Uint8Array): Uint8Array {
  return new Uint8Array(Bun.spawnSync(["xz", "-c", "--check=crc32"], { stdin: data }).stdout);
}

const plain = makeModule(["name=plain", "depends="]);
const zipped = makeModule(["name=zipped", "firmware=fw/one.bin", "firmware=fw/gone.bin"], "code of zipped");
const squeezed = makeModule(["name=squeezed", "firmware=fw/many-*.bin"], "code of squeezed");
const crushed = makeModule(["name=crushed"], "code of crushed");

const files: Record<string, string | Uint8Array> = {
  [`${M}/modules.dep`]: [
    "kernel/a/plain.ko:",
    "kernel/a/zip-ped.ko.gz: kernel/b/squeezed.ko.xz kernel/a/plain.ko",
    "kernel/b/squeezed.ko.xz: kernel/a/plain.ko",
    "updates/crushed.ko.zst:",
    "kernel/c/unwanted.ko: kernel/a/plain.ko",
    "",
  ].join("\n"),
  [`${M}/modules.alias`]:
    "# comment\nalias pci:v1d* zip_ped\nalias pci:v2d* unwanted\nalias fs-plain plain\nalias weak-one crushed\n",
  [`${M}/modules.softdep`]: "# comment\nsoftdep plain pre: no-such\nsoftdep unwanted pre: plain\n",
  [`${M}/modules.weakdep`]: "weakdep zip-ped weak-one not-there\n",
  [`${M}/modules.order`]: "kernel/c/unwanted.ko\nkernel/a/zip-ped.ko\nkernel/a/plain.ko\n",
  [`${M}/modules.builtin`]: "kernel/fs/xfs.ko\n",
  [`${M}/modules.builtin.modinfo`]: "xfs.license=GPL\0xfs.alias=fs-xfs\0",
  [`${M}/kernel/a/plain.ko`]: plain,
  [`${M}/kernel/a/zip-ped.ko.gz`]: gzipSync(Buffer.from(zipped)),
  [`${M}/kernel/b/squeezed.ko.xz`]: xz(squeezed),
  [`${M}/updates/crushed.ko.zst`]: zstdCompressSync(Buffer.from(crushed)),
  "lib/firmware/fw/one.bin": "old",
  "lib/firmware/updates/fw/one.bin": "new",
  "lib/firmware/fw/many-1.bin": "1",
  [`lib/firmware/updates/${RELEASE}/fw/many-1.bin.zst`]: zstdCompressSync(Buffer.from("1, compressed")),
  "lib/firmware/fw/many-2.bin.xz": xz(Buffer.from("2")),
  "lib/firmware/fw/many-3.bin.zst": zstdCompressSync(Buffer.from("3")),
  "lib/firmware/fw/other.bin": "other",
};

function collect(names: string[], more: Record<string, string | Uint8Array> = {}, ifThere: string[] = []) {
  return collectModules(new RootTree(temporaryTree({ ...files, ...more })), {
    release: RELEASE,
    names,
    ifThere,
  });
}

function contents(module: ImageModule | undefined): Buffer {
  if (!module) throw new Error("no module");
  return Buffer.concat([...readData(module.path, module.data)]);
}

test("modules can lie in the image compressed, under names that say so", () => {
  const root = new RootTree(temporaryTree(files));
  const request = { release: RELEASE, names: ["pci:v1d1"] };
  const raw = collectModules(root, request);
  const { modules, lists } = collectModules(root, { ...request, packed: true });
  expect(modules.map(({ path }) => path)).toEqual(raw.modules.map(({ path }) => `${path}.zst`));
  const unpacked = (module: ImageModule): Buffer =>
    Buffer.from(Bun.zstdDecompressSync(new Uint8Array(contents(module))));
  expect(modules.map(unpacked)).toEqual(raw.modules.map(contents));
  for (const name of ["modules.dep", "modules.order"])
    expect(lists.get(name)).toBe((raw.lists.get(name) ?? "").replaceAll(/\.ko(?=[:\s])/g, ".ko.zst"));
  expect(lists.get("modules.alias")).toBe(raw.lists.get("modules.alias"));
  expect(collectModules(root, { ...request, packed: true }).modules.map(contents)).toEqual(
    modules.map(contents),
  );
});

test("of such an image those that many boots load lie as they are", () => {
  const root = new RootTree(
    temporaryTree({
      [`${M}/modules.dep`]: "kernel/ext4.ko: kernel/rare.ko\nkernel/rare.ko:\n",
      [`${M}/kernel/ext4.ko`]: makeModule(["name=ext4"]),
      [`${M}/kernel/rare.ko`]: makeModule(["name=rare"]),
    }),
  );
  const { modules, lists } = collectModules(root, { release: RELEASE, names: ["ext4"], packed: true });
  expect(modules.map(({ path }) => path)).toEqual(["kernel/rare.ko.zst", "kernel/ext4.ko"]);
  expect(lists.get("modules.dep")).toBe("kernel/ext4.ko: kernel/rare.ko.zst\nkernel/rare.ko.zst:\n");
});

describe("collectModules", () => {
  const set = collect(["pci:v1d1", "xfs", "fs-xfs"]);

  test("takes a module with what it needs and might ask for, all uncompressed", () => {
    expect(set.modules.map(({ name, path }) => [name, path])).toEqual([
      ["plain", "kernel/a/plain.ko"],
      ["squeezed", "kernel/b/squeezed.ko"],
      ["zip_ped", "kernel/a/zip-ped.ko"],
      ["crushed", "updates/crushed.ko"],
    ]);
    const [first, second, third, fourth] = set.modules;
    expect(Buffer.compare(contents(first), plain)).toBe(0);
    expect(Buffer.compare(contents(second), squeezed)).toBe(0);
    expect(Buffer.compare(contents(third), zipped)).toBe(0);
    expect(Buffer.compare(contents(fourth), crushed)).toBe(0);
    // What is not compressed is read when the image is written.
    expect(set.modules.map(({ data }) => data instanceof Uint8Array)).toEqual([false, true, true, true]);
  });
  test("takes firmware where the kernel would, and notes what is not there", () => {
    expect(set.firmware.map(({ path, data }) => [path, Buffer.from(data).toString()])).toEqual([
      ["fw/many-1.bin", "1"],
      ["fw/many-2.bin", "2"],
      ["fw/many-3.bin", "3"],
      ["fw/one.bin", "new"],
    ]);
    expect(set.notes).toEqual([
      "Firmware fw/gone.bin, which zip_ped may ask for, is not installed.",
      "Module no-such, which plain would like, does not exist.",
    ]);
  });
  test("writes the lists anew", () => {
    expect(Object.fromEntries(set.lists)).toEqual({
      "modules.dep": [
        "kernel/a/plain.ko:",
        "kernel/a/zip-ped.ko: kernel/b/squeezed.ko kernel/a/plain.ko",
        "kernel/b/squeezed.ko: kernel/a/plain.ko",
        "updates/crushed.ko:",
        "",
      ].join("\n"),
      "modules.alias": "alias pci:v1d* zip_ped\nalias fs-plain plain\nalias weak-one crushed\n",
      "modules.softdep": "softdep plain pre: no-such\n",
      "modules.order": "kernel/a/zip-ped.ko\nkernel/a/plain.ko\n",
      "modules.builtin": "kernel/fs/xfs.ko\n",
      "modules.builtin.modinfo": "xfs.alias=fs-xfs\0",
    });
  });
  test("what may be missing is left out in silence", () => {
    expect(collect(["plain"], {}, ["crushed", "no-such-module"]).modules.map(({ name }) => name)).toEqual([
      "plain",
      "crushed",
    ]);
  });
  test("a module from outside goes into extra", () => {
    const outside = {
      [`${M}/modules.dep`]: "/opt/vendor/x.ko.gz:\n",
      "opt/vendor/x.ko.gz": gzipSync(Buffer.from(plain)),
    };
    const { modules, lists } = collect(["x"], outside);
    expect(modules.map(({ path }) => path)).toEqual(["extra/x.ko"]);
    expect(lists.get("modules.dep")).toBe("extra/x.ko:\n");
  });
  test("/usr/lib/modules will do", () => {
    const root = temporaryTree({
      "usr/lib/modules/1/modules.dep": "kernel/x.ko:\n",
      "usr/lib/modules/1/kernel/x.ko": plain,
    });
    const { modules } = collectModules(new RootTree(root), { release: "1", names: ["x"] });
    expect(modules.length).toBe(1);
  });
});

describe("other wishes", () => {
  test("what was expected is taken where it is there, and noted where it is not", () => {
    const root = new RootTree(temporaryTree(files));
    const set = collectModules(root, { release: RELEASE, names: [], expected: ["plain", "gone", "xfs"] });
    expect(set.modules.map(({ name }) => name)).toEqual(["plain"]);
    expect(set.details).toContain("Module gone, which this machine would like, does not exist.");
  });
  test("soft dependencies of modprobe.d come along, its blacklists keep nothing away", () => {
    const conf = "softdep plain post: crushed\nblacklist plain\ninstall plain /bin/false\n";
    const set = collect(["plain"], { "etc/modprobe.d/x.conf": conf });
    expect(set.modules.map(({ name }) => name)).toEqual(["plain", "crushed"]);
  });
});

describe("what is wrong is a sentence", () => {
  test("an unknown module", () => {
    expect(() => collect(["plain", "ext5", "ext6"])).toThrow(
      "The kernel 6.1.0-test has no module ext5, ext6.",
    );
  });
  test("a module whose file is gone, or damaged, or none", () => {
    expect(() => collect(["unwanted"])).toThrow(
      "kernel/c/unwanted.ko is missing, though modules.dep lists it.",
    );
    expect(() => collect(["crushed"], { [`${M}/updates/crushed.ko.zst`]: "\x28" })).toThrow(
      "kernel module: it is no ELF file.",
    );
    expect(() =>
      collect(["plain"], { [`${M}/kernel/a/plain.ko`]: makeModule(["a=b"]).subarray(0, 70) }),
    ).toThrow("kernel/a/plain.ko is no kernel module: it is cut short or damaged.");
  });
  test("no modules.dep, and no modules at all", () => {
    const root = temporaryTree({ [`${M}/kernel/x.ko`]: "", "lib/modules/other/x": "" });
    expect(() => collectModules(new RootTree(root), { release: RELEASE, names: [] })).toThrow(
      "has no modules.dep, so nothing is known of what its modules need.",
    );
    expect(() => collectModules(new RootTree(root), { release: "9", names: [] })).toThrow(
      "There are no modules for the kernel 9 in",
    );
    for (const release of ["..", ".", "", "a/b"])
      expect(() => collectModules(new RootTree(root), { release, names: [] })).toThrow(
        "There are no modules",
      );
  });
});

describe("readModuleInfo", () => {
  test("reads keys that come often, and values with =", () => {
    const info = readModuleInfo("x", makeModule(["alias=a*", "parm=x:a=b", "alias=b", "broken"]));
    expect(moduleInfoValues(info, "alias")).toEqual(["a*", "b"]);
    expect(moduleInfoValues(info, "parm")).toEqual(["x:a=b"]);
    expect(moduleInfoValues(info, "none")).toEqual([]);
  });
});
