import { describe, expect, test } from "bun:test";
import { MSG_TRUNC } from "../../../syscalls/constants.ts";
import type { Argument, Driver } from "../../../syscalls/driver.ts";
import { linux } from "../../../syscalls/linux.ts";
import { syscallNumbers } from "../../../syscalls/numbers.ts";

const EINTR = -4;
const EIO = -5;

/** A driver that answers with these results in turn, the last one for ever. */
function scripted(...results: number[]) {
  const calls: { nr: number; args: readonly Argument[] }[] = [];
  const answer = (nr: number, ...args: Argument[]): number => {
    calls.push({ nr, args });
    return (results.length > 1 ? results.shift() : results[0]) ?? 0;
  };
  const driver: Driver = {
    name: "scripted",
    call: answer,
    callSlow: async (nr, ...args) => answer(nr, ...args),
    address: () => 4096,
  };
  return { sys: linux(driver), calls };
}

describe("interrupted calls", () => {
  test("are made again", () => {
    const { sys, calls } = scripted(EINTR, EINTR, 7);
    expect(sys.open("/file", 0)).toBe(7);
    expect(calls.length).toBe(3);
    expect(new Set(calls.map(({ nr }) => nr))).toEqual(new Set([syscallNumbers().openat]));
  });

  test("are made again when slow", async () => {
    const { sys, calls } = scripted(EINTR, 7);
    expect(await sys.slow.open("/file", 0)).toBe(7);
    expect(calls.length).toBe(2);
  });

  test("but not close, which has closed", () => {
    const { sys, calls } = scripted(EINTR);
    sys.close(3);
    expect(calls.length).toBe(1);
  });

  test("other errors are final", () => {
    const { sys, calls } = scripted(EIO, 0);
    expect(() => sys.close(3)).toThrow("EIO");
    expect(calls.length).toBe(1);
  });
});

describe("strings", () => {
  test("share no memory within a call", () => {
    const { sys, calls } = scripted(0);
    sys.rename("/from", "/to");
    const paths = calls[0]?.args.filter((arg) => arg instanceof Uint8Array).map(cString);
    expect(paths).toEqual(["/from", "/to"]);
  });

  test("of a mount share none either", () => {
    const { sys, calls } = scripted(0);
    sys.mount("source", "target", "type", 0, "data");
    const strings = calls[0]?.args.filter((arg) => arg instanceof Uint8Array).map(cString);
    expect(strings).toEqual(["source", "target", "type", "data"]);
  });

  test("that are too long go to the kernel whole", () => {
    const { sys, calls } = scripted(-36);
    const path = "x".repeat(10_000);
    expect(() => sys.chdir(path)).toThrow("ENAMETOOLONG");
    expect(calls[0]?.args.map((arg) => (arg instanceof Uint8Array ? arg.length : arg))).toEqual([10_001]);
  });

  test("end with a NUL, however long", () => {
    for (const length of [0, 1, 4094, 4095, 4096, 4097]) {
      const { sys, calls } = scripted(0);
      sys.chdir("x".repeat(length));
      const [path] = calls[0]?.args ?? [];
      expect(path instanceof Uint8Array ? path.indexOf(0) : "no string").toBe(length);
    }
  });

  test("with a NUL never reach it", () => {
    const { sys, calls } = scripted(0);
    expect(() => sys.mount("a\0", "/b", "c", 0, "d")).toThrow("mount /b: not valid here (EINVAL)");
    expect(() => sys.execve("/b", ["a\0"], [])).toThrow("EINVAL");
    expect(calls).toEqual([]);
  });
});

describe("datagrams", () => {
  test("that were cut short are an error, which the kernel is asked to tell", () => {
    const { sys, calls } = scripted(20_000);
    expect(() => sys.recv(3, 0)).toThrow("EMSGSIZE");
    expect(Number(calls[0]?.args[3]) & MSG_TRUNC).toBe(MSG_TRUNC);
  });

  test("from another kind of socket are an error", () => {
    const { sys } = scripted(10);
    expect(() => sys.recv(3, 0)).toThrow("EPROTOTYPE");
  });
});

test("a kernel without close_range says ENOSYS", () => {
  const { sys } = scripted(-38);
  expect(() => sys.closeRange(3, 9, 0)).toThrow("close_range: this kernel does not have the call (ENOSYS)");
});

function cString(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString("latin1");
}
