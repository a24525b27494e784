import { describe, expect, test } from "bun:test";
import { constants } from "node:os";
import { type ErrnoCode, errnoNumber, fail, sysError } from "../../../syscalls/errno.ts";
import { SysError, isErrno } from "../../../syscalls/error.ts";

describe("errno", () => {
  test("has every name that the C library has, with its number", () => {
    const aliases = new Set(["EWOULDBLOCK", "ENOTSUP"]);
    const names = Object.entries(constants.errno).filter(([name]) => !aliases.has(name));
    expect(names.length).toBeGreaterThan(70);
    for (const [name, number] of names)
      expect([name, errnoNumber(name as ErrnoCode)]).toEqual([name, number]);
  });

  test("names every number up to EHWPOISON but the two that Linux leaves out", () => {
    const codes = Array.from({ length: 133 }, (_, i) => sysError("x", i + 1).code);
    const nameless = codes.filter((code) => /^E\d+$/.test(code));
    expect(nameless).toEqual(["E41", "E58"]);
    expect(new Set(codes).size).toBe(133);
  });

  test("says what failed, on what and why", () => {
    const error = sysError("mount", 16, "/proc");
    expect(error).toBeInstanceOf(SysError);
    expect(error.message).toBe("mount /proc: in use (EBUSY)");
    expect({ ...error }).toMatchObject({ syscall: "mount", errno: 16, code: "EBUSY", path: "/proc" });
    expect(sysError("close", 9).path).toBeUndefined();
  });

  test("keeps a number that no header names", () => {
    expect(sysError("open", 524).code).toBe("E524");
    expect(sysError("open", 524).message).toBe("open: error 524, which has no name (E524)");
  });

  test("fail throws", () => {
    expect(() => fail("kill", 3)).toThrow("kill: no such process (ESRCH)");
  });

  test("isErrno tells by name", () => {
    expect(isErrno(sysError("open", 2), "EACCES", "ENOENT")).toBe(true);
    expect(isErrno(sysError("open", 2), "EACCES")).toBe(false);
    expect(isErrno(new Error("ENOENT"), "ENOENT")).toBe(false);
  });
});
