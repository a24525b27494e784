import { describe, expect, test } from "bun:test";
import { failing, recorded } from "../../../syscalls/failing.ts";
import { attribute, device, fakeKernel, symlink } from "../../../syscalls/fake.ts";
import {
  O_CLOEXEC,
  type Syscalls,
  exists,
  list,
  mkdirs,
  readFile,
  readText,
  readTextIfThere,
  writeAll,
  writeFile,
} from "../../../syscalls/index.ts";

describe("reading", () => {
  test("a file that says its size is 0", () => {
    const { sys } = fakeKernel({ rootfs: { knob: attribute(() => "x".repeat(50_000)) } });
    expect(readText(sys, "/knob").length).toBe(50_000);
  });

  test("a large file whole", () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const { sys } = fakeKernel({ rootfs: { file: bytes } });
    expect(Buffer.compare(readFile(sys, "/file"), bytes)).toBe(0);
  });

  test("in pieces of any size", () => {
    const { sys } = fakeKernel({ rootfs: { file: "abcdefgh" } });
    const meagre: Syscalls = { ...sys, read: (fd, buffer) => sys.read(fd, buffer.subarray(0, 3)) };
    expect(readText(meagre, "/file")).toBe("abcdefgh");
  });

  test("of what is not there is a value where that is asked for", () => {
    const { sys } = fakeKernel({ rootfs: { dir: {} } });
    expect(readTextIfThere(sys, "/none")).toBeUndefined();
    expect(() => readText(sys, "/none")).toThrow("ENOENT");
    expect(() => readTextIfThere(sys, "/dir")).toThrow("EISDIR");
    expect(() => readTextIfThere(failing(sys, 1, "EACCES"), "/none")).toThrow("EACCES");
  });

  test("asks for no more memory at once than there is, whatever a file says of its size", () => {
    const { sys } = fakeKernel({ rootfs: { kcore: "x".repeat(10_000) } });
    const boastful: Syscalls = { ...sys, fstat: (fd) => ({ ...sys.fstat(fd), size: 2 ** 47 }) };
    expect(readFile(boastful, "/kcore").length).toBe(10_000);
  });

  test("leaves no descriptor to a child that is started meanwhile", () => {
    const { sys, calls } = recorded(fakeKernel({ rootfs: { file: "x", dir: {} } }).sys);
    readFile(sys, "/file");
    writeFile(sys, "/file", "y");
    list(sys, "/dir");
    const opened = calls.flatMap(({ name, args }) => (name === "open" ? [Number(args[1]) & O_CLOEXEC] : []));
    expect(opened).toEqual([O_CLOEXEC, O_CLOEXEC, O_CLOEXEC]);
  });

  test("closes the file when it fails", () => {
    const kernel = fakeKernel({ rootfs: { file: "x" } });
    expect(() => readText(failing(kernel.sys, 2, "EIO"), "/file")).toThrow("EIO");
    expect([...kernel.machine.fds.keys()]).toEqual([]);
  });
});

describe("writing", () => {
  test("makes and replaces files", () => {
    const { sys } = fakeKernel();
    writeFile(sys, "/file", "long content");
    writeFile(sys, "/file", "\xff");
    expect(readText(sys, "/file")).toBe("\xff");
  });

  test("goes on where the kernel took less", () => {
    const { sys } = fakeKernel({ rootfs: { file: "" } });
    const meagre: Syscalls = { ...sys, write: (fd, bytes) => sys.write(fd, bytes.subarray(0, 3)) };
    const { calls, sys: counted } = recorded(meagre);
    writeFile(counted, "/file", "abcdefgh");
    expect(readText(sys, "/file")).toBe("abcdefgh");
    expect(calls.filter(({ name }) => name === "write").length).toBe(3);
  });

  test("ends when a device takes nothing", () => {
    const deaf = { write: () => {} };
    const { sys } = fakeKernel({ rootfs: { tty: device("char", "4:64") }, devices: { "char 4:64": deaf } });
    const nothing: Syscalls = { ...sys, write: () => 0 };
    expect(() => writeAll(nothing, 1, Uint8Array.of(1))).toThrow("EIO");
  });
});

describe("directories", () => {
  test("are listed in order, whole", () => {
    const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
    const { sys } = fakeKernel({ rootfs: Object.fromEntries(names.toReversed().map((name) => [name, ""])) });
    expect(list(sys, "/").map((entry) => entry.name)).toEqual(names.toSorted());
  });

  test("are made with those above them", () => {
    const { sys } = fakeKernel({ rootfs: { a: {}, file: "", link: symlink("a") } });
    for (const path of ["/a/b/c", "/a/b/c", "x//y/", "/link/d", "/"]) mkdirs(sys, path);
    for (const path of ["/a/b/c", "/x/y", "/a/d"]) expect(exists(sys, path)).toBe(true);
    expect(() => mkdirs(sys, "/file")).toThrow("EEXIST");
    expect(() => mkdirs(sys, "/file/below")).toThrow("ENOTDIR");
  });

  test("in /proc are given up, not tried for ever", () => {
    const { sys } = fakeKernel({ rootfs: { proc: {} }, mounts: [{ at: "/proc", type: "proc" }] });
    expect(() => mkdirs(sys, "/proc/none/more")).toThrow("ENOENT");
  });
});

test("exists follows links", () => {
  const { sys } = fakeKernel({ rootfs: { file: "", good: symlink("file"), bad: symlink("none") } });
  expect(["/file", "/good", "/bad", "/file/x"].map((path) => exists(sys, path))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
