import { describe, expect, test } from "bun:test";
import { parseCrypto } from "../../../../src/image/host/crypto.ts";
import { filesystemModules } from "../../../../src/image/host/filesystems.ts";
import { isKeyboard } from "../../../../src/image/host/keyboards.ts";
import { identifyMapping } from "../../../../src/image/host/mapping.ts";
import { mountAt, mountOf, mountOption, parseMountinfo } from "../../../../src/image/host/mountinfo.ts";
import { attribute } from "../../../../src/image/host/sysfs.ts";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { temporaryTree } from "../../../fixtures/temporary.ts";

describe("mountinfo", () => {
  const mounts = parseMountinfo(
    [
      "1 1 0:2 / / rw - rootfs rootfs rw",
      "22 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/root rw,errors=remount-ro",
      "23 22 8:2 /sub /mnt/a\\040b\\134 rw - xfs /dev/disk/by-label/a\\040b rw",
      "24 23 8:3 / /mnt/a\\040b\\134 rw - xfs /dev/sda3 rw",
      "25 22 0:5 / /proc rw - proc proc rw",
      "cut 22 8:1 / /x",
      "26 22 8:x / /x rw - ext4 /dev/x rw",
      "27 22 8:1 / relative rw - ext4 /dev/x rw",
      "",
    ].join("\n"),
  );
  test("reads lines with any number of optional fields, and passes over others", () => {
    expect(mounts.map(({ id }) => id)).toEqual(["1", "22", "23", "24", "25"]);
    expect(mounts[1]).toEqual({
      id: "22",
      parent: "1",
      rdev: "8:1",
      point: "/",
      type: "ext4",
      source: "/dev/root",
      options: "rw,errors=remount-ro",
    });
    expect(mounts[2]).toMatchObject({ point: "/mnt/a b\\", source: "/dev/disk/by-label/a b" });
  });
  test("the uppermost of several at one place counts", () => {
    expect(mountAt(mounts, "/")?.id).toBe("22");
    expect(mountAt(mounts, "/mnt/a b\\")?.id).toBe("24");
    expect(mountAt(mounts.toReversed(), "/mnt/a b\\")?.id).toBe("24");
    expect(mountAt(mounts, "/mnt")).toBeUndefined();
  });
  test("what a path lies on", () => {
    expect(mountOf(mounts, "/mnt/a b\\/file")?.id).toBe("24");
    expect(mountOf(mounts, "/mnt/a b\\x")?.id).toBe("22");
    expect(mountOf(mounts, "/proc")?.id).toBe("25");
    expect(mountOf(mounts, "/proc", ({ type }) => type !== "proc")?.id).toBe("22");
    expect(mountOf([], "/proc")).toBeUndefined();
  });
  test("options with escapes", () => {
    const options = "rw,lowerdir=/a\\,b:/c\\040d,upperdir=/u";
    expect(mountOption(options, "lowerdir")).toBe("/a\\,b:/c d");
    expect(mountOption(options, "upperdir")).toBe("/u");
    expect(mountOption(options, "dir")).toBeUndefined();
  });
});

test("/proc/crypto", () => {
  const text =
    "name         : xts(aes)\ndriver       : xts-aes-aesni\nmodule       : aesni_intel\nrefcnt       : 2\ninternal     : no\n\n" +
    "name         : __xts(aes)\nmodule       : aesni_intel\nrefcnt       : 2\ninternal     : yes\n\n" +
    "name         : sha1\nmodule       : kernel\nrefcnt       : 1\n\nmodule : x\n\n";
  expect(parseCrypto(text)).toEqual([
    { name: "xts(aes)", module: "aesni_intel", inUse: true },
    { name: "sha1", module: "kernel", inUse: false },
  ]);
});

test("what a keyboard is", () => {
  expect(isKeyboard("402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe")).toBe(true);
  expect(isKeyboard("fffffffe")).toBe(true);
  for (const other of ["", "30000 0 0 0 0", "fffffffc", "fffffffffffffffe 0", "no", "1fffffffffffffffe"])
    expect(isKeyboard(other)).toBe(false);
});

test("mappings without a name or a UUID", () => {
  expect(identifyMapping("", "")).toMatchObject({ kind: "mapping", tool: undefined, uuid: undefined });
  expect(identifyMapping("part1-mpath-1", "x").tool).toBe("multipath");
  expect(identifyMapping("part1-other", "x").kind).toBe("partition");
});

describe("modules of file systems", () => {
  const root = new RootTree(temporaryTree({ "sys/module/ext4/initstate": "live\n" }));
  test("under another name than the type", () => {
    expect(filesystemModules(root, "ext3", "")).toEqual({
      modules: ["ext4"],
      modulesIfThere: ["fs-ext3"],
    });
    expect(filesystemModules(root, "iso9660", "").modulesIfThere).toEqual(["isofs", "fs-iso9660"]);
    expect(filesystemModules(root, "fuse.mergerfs", "").modulesIfThere).toEqual(["fuse", "fs-fuse"]);
  });
  test("with the quotas that they keep", () => {
    const keeps = filesystemModules(root, "ext4", "rw,usrjquota=aquota.user,jqfmt=vfsv1");
    expect(keeps.modulesIfThere).toEqual(["fs-ext4", "quota_v1", "quota_v2"]);
    expect(filesystemModules(root, "f2fs", "rw,prjquota").modulesIfThere).toContain("quota_v2");
    expect(filesystemModules(root, "ext4", "rw,noquota").modulesIfThere).toEqual(["fs-ext4"]);
    const keeping = new RootTree(temporaryTree({ "sys/module/quota_v2/initstate": "live\n" }));
    expect(filesystemModules(keeping, "xfs", "rw").modulesIfThere).toEqual(["xfs", "fs-xfs", "quota_v2"]);
  });
  test("with the character sets of their options", () => {
    const { modulesIfThere } = filesystemModules(root, "vfat", "rw,codepage=850,iocharset=iso8859-15");
    expect(modulesIfThere).toEqual(["vfat", "fs-vfat", "nls_cp850", "nls_iso8859-15"]);
  });
  test("types that are no names of modules", () => {
    expect(filesystemModules(root, "constructor", "").modules).toEqual([]);
    expect(filesystemModules(root, "../x", "").modulesIfThere).toEqual(["fs-"]);
  });
});

test("attributes that can't be read are none", () => {
  const root = new RootTree(temporaryTree({ "sys/a/value": "1\n", "sys/a/empty": "\n" }));
  expect(attribute(root, "/sys/a/value")).toBe("1");
  expect(attribute(root, "/sys/a/empty")).toBeUndefined();
  expect(attribute(root, "/sys/a")).toBeUndefined();
  const broken = Object.assign(new Error("i/o"), { code: "EIO" });
  const failing = {
    ...root,
    read: () => {
      throw broken;
    },
  } as unknown as RootTree;
  expect(attribute(failing, "/sys/a/value")).toBeUndefined();
});
