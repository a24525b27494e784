import { describe, expect, test } from "bun:test";
import { failing, recorded } from "../../../syscalls/failing.ts";
import { fakeKernel } from "../../../syscalls/fake.ts";
import { O_RDONLY, WEXITED, isErrno, traced } from "../../../syscalls/index.ts";

const small = () => fakeKernel({ rootfs: { file: "12345", dir: {} } }).sys;

describe("traced", () => {
  test("tells each call and what came of it", () => {
    const lines: string[] = [];
    const sys = traced(small(), (line) => lines.push(line));
    const fd = sys.open("/file", O_RDONLY);
    sys.read(fd, new Uint8Array(3));
    sys.close(fd);
    expect(() => sys.rename("/a\n", "/b\xff")).toThrow("ENOENT");
    sys.fcntl(sys.open("/dir", 0x80000), 1, 0);
    expect(lines).toEqual([
      'open("/file", 0) = 0',
      "read(0, <3 bytes>) = 3",
      "close(0) = ok",
      'rename("/a\\n", "/b\ufffd") = ENOENT',
      'open("/dir", 0x80000) = 0',
      "fcntl(0, 1, 0) = 1",
    ]);
  });

  test("waits for slow calls, and changes nothing about them", async () => {
    const lines: string[] = [];
    const sys = traced(small(), (line) => lines.push(line));
    const fd = await sys.slow.open("/file", O_RDONLY);
    expect(await sys.slow.pread(fd, new Uint8Array(9), 0)).toBe(5);
    const error = await sys.slow.peekChild().catch((thrown: unknown) => thrown);
    expect(isErrno(error, "ECHILD")).toBe(true);
    expect(lines).toEqual([
      'slow.open("/file", 0) = 0',
      "slow.pread(0, <9 bytes>, 0) = 5",
      "slow.peekChild() = ECHILD",
    ]);
  });

  test("shows lists and results of every shape, and no secret", () => {
    const lines: string[] = [];
    const sys = traced(small(), (line) => lines.push(line));
    expect(() => sys.execve("/file", ["a", "b"], [])).toThrow("EACCES");
    sys.uname();
    sys.getdents(sys.open("/", 0));
    expect(lines).toEqual([
      'execve("/file", ["a", "b"], []) = EACCES',
      'uname() = {release: "6.1.0", machine: "x86_64"}',
      'open("/", 0) = 0',
      "getdents(0) = [2 entries]",
    ]);
  });
});

describe("failing", () => {
  test("makes the nth call fail, counted over all methods", async () => {
    const sys = failing(small(), 3, "EIO");
    sys.getpid();
    await sys.slow.open("/file", O_RDONLY);
    expect(() => sys.mount("a", "/dir", "tmpfs", 0, "")).toThrow(expect.objectContaining({ code: "EIO" }));
    expect(sys.statfs("/dir").type).toBe(sys.statfs("/").type);
  });

  test("fails as the kernel does: the call's own name, its path", () => {
    const thrown = (() => {
      try {
        return failing(small(), 1, "EBUSY").mount("a", "/dir", "tmpfs", 0, "");
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toMatchObject({
      syscall: "mount",
      path: "/dir",
      errno: 16,
      message: "mount /dir: in use (EBUSY)",
    });
  });

  test("makes a slow call's promise fail", async () => {
    const promise = failing(small(), 1, "EIO").slow.open("/file", O_RDONLY);
    expect(isErrno(await promise.catch((error: unknown) => error), "EIO")).toBe(true);
  });
});

describe("recorded", () => {
  test("remembers every call in order, with its arguments", () => {
    const { sys, calls } = recorded(small());
    sys.chdir("/dir");
    expect(() => sys.waitid(0, WEXITED)).toThrow("ECHILD");
    expect(calls).toEqual([
      { name: "chdir", args: ["/dir"] },
      { name: "waitid", args: [0, WEXITED] },
    ]);
  });
});
