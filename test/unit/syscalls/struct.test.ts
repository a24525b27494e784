import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { View, toBytes } from "../../../src/lib/bytes.ts";
import { STATX_MNT_ID } from "../../../syscalls/constants.ts";
import { machineCode } from "../../../syscalls/machine-code.ts";
import { syscallNumbers } from "../../../syscalls/numbers.ts";
import {
  packDevice,
  packNetlinkAddress,
  packPointers,
  packRlimit,
  readDirents,
  readNetlinkPort,
  readRlimit,
  readSiginfo,
  readStatx,
  readTimespec,
} from "../../../syscalls/struct.ts";

describe("directory records", () => {
  test("become names and types, without . and ..", () => {
    const entries = read(record(".", 4), record("..", 4), record("a", 8), record("\xff", 10), record("x", 0));
    expect(entries).toEqual([
      { name: "a", type: "file" },
      { name: "\xff", type: "symlink" },
      { name: "x", type: "unknown" },
    ]);
  });

  test("that are damaged are an error, never an endless loop or a read outside", () => {
    expect(() => read(record("a", 8, 24).fill(0, 16, 18))).toThrow(RangeError);
    expect(() => readDirents(record("a", 8), 20)).toThrow(RangeError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          return Array.isArray(readDirents(bytes, bytes.length));
        } catch (error) {
          return error instanceof RangeError;
        }
      }),
    );
  });
});

describe("device numbers", () => {
  test("are packed as the kernel wants them", () => {
    expect(packDevice("8:1")).toBe(0x801);
    expect(packDevice("259:65537")).toBe(0x10010301);
    expect(packDevice("4095:1048575")).toBe(0xffffffff);
  });

  test.each(["", "8", "8:", ":1", "8:1:2", "4096:0", "0:1048576", "-1:0", "0x8:1", " 8:1", "8:1\n"])(
    "%j is none",
    (text) => {
      expect(packDevice(text)).toBeUndefined();
    },
  );
});

describe("structs", () => {
  test("limits come back as they were", () => {
    const limit = { soft: 1024n, hard: 2n ** 64n - 1n };
    expect(readRlimit(new View(packRlimit(limit)))).toEqual(limit);
  });

  test("a netlink address is told from any other", () => {
    const address = packNetlinkAddress(1);
    new DataView(address.buffer).setUint32(4, 77, true);
    expect(readNetlinkPort(new View(address), address.length)).toBe(77);
    expect(readNetlinkPort(new View(address), 0)).toBeUndefined();
    expect(readNetlinkPort(new View(new Uint8Array(12)), 12)).toBeUndefined();
  });

  test("a file has the number of its mount where the kernel tells it", () => {
    const view = new DataView(new ArrayBuffer(256));
    view.setBigUint64(144, 77n, true);
    const mount = () => readStatx(new View(new Uint8Array(view.buffer))).mountId;
    expect(mount()).toBeUndefined();
    view.setUint32(0, STATX_MNT_ID, true);
    expect(mount()).toBe(77n);
  });

  test("a siginfo without a child is none", () => {
    expect(readSiginfo(new View(new Uint8Array(128)))).toBeUndefined();
  });

  test("time is in nanoseconds", () => {
    const view = new View(new Uint8Array(BigUint64Array.of(5n, 7n).buffer));
    expect(readTimespec(view)).toBe(5_000_000_007n);
  });

  test("pointers end with a null pointer", () => {
    expect([...new BigUint64Array(packPointers([16, 32]).buffer)]).toEqual([16n, 32n, 0n]);
  });
});

describe("another architecture", () => {
  test("is refused in a sentence", () => {
    expect(() => machineCode("mips")).toThrow('architecture "mips"');
    expect(() => syscallNumbers("mips")).toThrow('architecture "mips"');
  });
});

/** A struct linux_dirent64. */
function record(name: string, type: number, length = 24): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint16(16, length, true);
  bytes[18] = type;
  bytes.set(toBytes(name), 19);
  return bytes;
}

function read(...records: Uint8Array[]) {
  const bytes = Buffer.concat(records);
  return readDirents(bytes, bytes.length);
}
