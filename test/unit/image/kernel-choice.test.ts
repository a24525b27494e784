import { describe, expect, test } from "bun:test";
import { chooseKernel, installedKernels } from "../../../src/image/kernel-choice.ts";
import type { FileTree } from "../../../src/image/file-tree.ts";
import { checkCompression, parseKernelConfig, readKernelConfig } from "../../../src/image/kernel-config.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { UserError } from "../../../src/lib/errors.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const CONFIG = "CONFIG_MODULES=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_ZSTD=y\n# CONFIG_RD_XZ is not set\n";
const nothing = { release: undefined, directory: undefined, running: undefined };

function tree(files: Record<string, string>) {
  return new RootTree(temporaryTree(files));
}

const two = tree({
  "usr/lib/modules/6.1/modules.dep": "",
  "usr/lib/modules/6.2/modules.dep": "",
  "usr/lib/modules/left-over/build": "",
  lib: "-> usr/lib",
  "boot/config-6.1": CONFIG,
});

describe("chooseKernel", () => {
  test("the one that was asked for, else the running one, else the only one", () => {
    expect(installedKernels(two)).toEqual(["6.1", "6.2"]);
    expect(chooseKernel(two, { ...nothing, release: "6.2", running: "6.1" }).release).toBe("6.2");
    const running = chooseKernel(two, { ...nothing, running: "6.1" });
    expect(running.modules?.directory).toBe("/lib/modules/6.1");
    expect(running.config?.get("CONFIG_RD_ZSTD")).toBe("y");
    const one = tree({ "lib/modules/6.1/modules.dep": "" });
    expect(chooseKernel(one, nothing).release).toBe("6.1");
  });
  test("a directory of modules, with the configuration that lies in its root", () => {
    const found = chooseKernel(tree({}), { ...nothing, directory: two.outside("/usr/lib/modules/6.1/") });
    expect(found).toMatchObject({
      release: "6.1",
      modules: { root: two.outside("/"), directory: "/usr/lib/modules/6.1" },
    });
    expect(found.config?.get("CONFIG_MODULES")).toBe("y");
    const odd = tree({ "built/6.3/modules.dep": "" });
    expect(chooseKernel(two, { ...nothing, directory: odd.outside("/built/6.3") }).release).toBe("6.3");
    expect(
      chooseKernel(two, { ...nothing, directory: odd.outside("/built/6.3"), release: "6.3-x" }).release,
    ).toBe("6.3-x");
  });
  test("a kernel that has all built in needs no modules", () => {
    const monolithic = tree({ "boot/config-6.4": "CONFIG_BLK_DEV_INITRD=y\n" });
    expect(chooseKernel(monolithic, { ...nothing, release: "6.4" }).modules).toBeUndefined();
  });
  test("a kernel that is not known to have modules is supposed to have none, and that is said", () => {
    const empty = tree({});
    const note = "There is no modules directory, so the kernel 6.5 is supposed to have all drivers built in.";
    expect(chooseKernel(empty, { ...nothing, release: "6.5" }).notes).toEqual([note]);
    expect(chooseKernel(empty, nothing)).toMatchObject({ release: undefined, modules: undefined });
    expect(chooseKernel(two, { ...nothing, running: "6.5" }).notes).toEqual([note]);
    const loaded = tree({ "lib/modules/6.1/modules.dep": "", "proc/modules": "ext4 1 0 - Live 0x0\n" });
    expect(() => chooseKernel(loaded, { ...nothing, running: "6.5" })).toThrow(
      "There are no modules for the kernel 6.5",
    );
  });
  test("a directory that a removed kernel has left behind has no modules, and depmod is named", () => {
    expect(() => chooseKernel(two, { ...nothing, release: "left-over" })).toThrow(
      /left-over has no modules\.dep, so nothing is known of what its modules need\.$/,
    );
    const unpacked = tree({ "lib/modules/6.1/kernel/fs/ext4.ko": "", "lib/modules/5.10/updates/x.ko": "" });
    expect(() => chooseKernel(unpacked, nothing)).toThrow("modules/6.1 has no modules.dep");
    // Whoever builds all in installs the list of that, too.
    const builtin = tree({ "lib/modules/6.4/modules.builtin": "", "boot/config-6.4": "CONFIG_BLOCK=y\n" });
    expect(chooseKernel(builtin, { ...nothing, release: "6.4" }).modules).toBeUndefined();
  });
  test("a relative modules directory is one below the working directory, never one of this machine", () => {
    const before = process.cwd();
    try {
      process.chdir(two.outside("/"));
      for (const directory of ["usr/lib/modules/6.1", "./usr/lib/modules/6.1", "usr/lib/modules/6.1/"])
        expect(chooseKernel(tree({}), { ...nothing, directory }).release).toBe("6.1");
      process.chdir("usr");
      const found = chooseKernel(tree({}), { ...nothing, directory: "lib/modules/6.2" });
      expect(found).toMatchObject({ release: "6.2", modules: { directory: "/lib/modules/6.2" } });
      expect(new RootTree(found.modules?.root ?? "").read("/lib/modules/6.2/modules.dep")).toBeDefined();
    } finally {
      process.chdir(before);
    }
  });
  test("otherwise their absence is a sentence, as the image would not boot", () => {
    expect(() => chooseKernel(two, { ...nothing, release: "6.5" })).toThrow(
      "There are no modules for the kernel 6.5 in",
    );
    expect(() => chooseKernel(two, nothing)).toThrow("There are several kernels in");
    expect(() => chooseKernel(tree({ "boot/config-6.1": CONFIG }), { ...nothing, release: "6.1" })).toThrow(
      "There are no modules",
    );
    expect(() => chooseKernel(two, { ...nothing, release: "../6.1" })).toThrow(
      "can't be the name of a kernel",
    );
    expect(() => chooseKernel(two, { ...nothing, directory: two.outside("/boot") })).toThrow(
      "it holds no modules.dep",
    );
  });
});

test("a /boot that only root may look into keeps nobody from building", () => {
  const open = tree({ "lib/modules/6.1/config": CONFIG });
  const read = (path: string) => {
    if (path.startsWith("/boot/")) throw new UserError(`${path} can't be read by this user.`);
    return open.read(path);
  };
  const closed: FileTree = {
    read,
    list: (path) => open.list(path),
    resolve: (path) => open.resolve(path),
    outside: (path) => path,
  };
  expect(readKernelConfig(closed, "6.1")?.get("CONFIG_RD_ZSTD")).toBe("y");
  expect(readKernelConfig(closed, "6.2")).toBeUndefined();
});

describe("checkCompression", () => {
  const config = parseKernelConfig(CONFIG);
  test("what the kernel can unpack passes", () => {
    expect(() => checkCompression(config, "6.1", "zstd")).not.toThrow();
    expect(() => checkCompression(config, "6.1", "none")).not.toThrow();
  });
  test("what it can't is refused, with what it can", () => {
    expect(() => checkCompression(config, "6.1", "xz")).toThrow("built without CONFIG_RD_XZ");
    try {
      checkCompression(config, "6.1", "xz");
    } catch (error) {
      expect(error).toMatchObject({ remedy: "Choose one of: none, zstd." });
    }
    expect(() => checkCompression(new Map(), "6.1", "none")).toThrow("can't use an initramfs");
  });
});
