import { describe, expect, test } from "bun:test";
import { View } from "../../../src/lib/bytes.ts";
import { errnoNumber, sysError } from "../../../syscalls/errno.ts";
import { failing } from "../../../syscalls/failing.ts";
import { device, fakeKernel } from "../../../syscalls/fake.ts";
import {
  LOOP_CLR_FD,
  LOOP_CONFIGURE,
  LOOP_CTL_GET_FREE,
  LOOP_SET_FD,
  LOOP_SET_STATUS64,
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_READ_ONLY,
  O_ACCMODE,
  O_RDONLY,
  O_RDWR,
  attachLoop,
} from "../../../syscalls/index.ts";
import type { ErrnoCode } from "../../../syscalls/errno.ts";

type Ioctl = readonly [request: number, argument: Uint8Array | number];

/** A kernel with two loop devices, of which the first is free until somebody asks for it `taken` times. */
function machine({
  refuse = {},
  taken = 0,
}: { refuse?: Readonly<Record<number, ErrnoCode>>; taken?: number } = {}) {
  const calls: Ioctl[] = [];
  let asked = 0;
  const loop = (request: number, argument: Uint8Array | number): number => {
    calls.push([request, argument]);
    const code = asked <= taken ? "EBUSY" : refuse[request];
    if (code !== undefined) throw sysError("ioctl", errnoNumber(code));
    return 0;
  };
  const kernel = fakeKernel({
    rootfs: {
      image: "x",
      dev: {
        "loop-control": device("char", "10:237"),
        loop0: device("block", "7:0"),
        loop1: device("block", "7:1"),
      },
    },
    devices: {
      "char 10:237": {
        ioctl: (request) => {
          expect(request).toBe(LOOP_CTL_GET_FREE);
          asked += 1;
          return asked > 1 ? 1 : 0;
        },
      },
      "block 7:0": { ioctl: loop },
      "block 7:1": { ioctl: loop },
    },
  });
  const file = kernel.sys.open("/image", O_RDONLY);
  return { kernel, calls, file };
}

function flagsOf(info: View, at: number): number {
  return info.u32(at + 52);
}

describe("a loop device", () => {
  test("is taken in one step, read-only and only for as long as it is used", () => {
    const { kernel, calls, file } = machine();
    const { number, fd } = attachLoop(kernel.sys, file, { readOnly: true, name: `/${"n".repeat(70)}` });
    expect(number).toBe(0);
    expect(calls.map(([request]) => request)).toEqual([LOOP_CONFIGURE]);
    const config = new View(calls[0]?.[1] as Uint8Array);
    expect(config.length).toBe(304);
    expect(config.u32(0)).toBe(file);
    expect(flagsOf(config, 8)).toBe(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR);
    expect(config.string(8 + 56, 64)).toBe(`/${"n".repeat(62)}`);
    expect((kernel.machine.fds.get(fd)?.file.flags ?? 0) & O_ACCMODE).toBe(O_RDONLY);
    expect([...kernel.machine.fds.keys()].sort()).toEqual([file, fd].sort());
  });

  test("can be written to when that is asked for", () => {
    const { kernel, calls, file } = machine();
    const { fd } = attachLoop(kernel.sys, file, { readOnly: false, name: "x" });
    expect(flagsOf(new View(calls[0]?.[1] as Uint8Array), 8)).toBe(LO_FLAGS_AUTOCLEAR);
    expect((kernel.machine.fds.get(fd)?.file.flags ?? 0) & O_ACCMODE).toBe(O_RDWR);
  });

  for (const code of ["EINVAL", "ENOTTY"] as const)
    test(`is taken in two steps by kernels that say ${code}`, () => {
      const { kernel, calls, file } = machine({ refuse: { [LOOP_CONFIGURE]: code } });
      attachLoop(kernel.sys, file, { readOnly: true, name: "name" });
      expect(calls.map(([request]) => request)).toEqual([LOOP_CONFIGURE, LOOP_SET_FD, LOOP_SET_STATUS64]);
      expect(calls[1]?.[1]).toBe(file);
      const info = new View(calls[2]?.[1] as Uint8Array);
      expect(info.length).toBe(232);
      expect(flagsOf(info, 0)).toBe(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR);
      expect(info.string(56, 64)).toBe("name");
    });

  test("whose second step fails is given back", () => {
    const refuse = { [LOOP_CONFIGURE]: "EINVAL", [LOOP_SET_STATUS64]: "EPERM" } as const;
    const { kernel, calls, file } = machine({ refuse });
    expect(() => attachLoop(kernel.sys, file, { readOnly: true, name: "x" })).toThrow("EPERM");
    expect(calls.at(-1)?.[0]).toBe(LOOP_CLR_FD);
    expect([...kernel.machine.fds.keys()]).toEqual([file]);
  });

  test("that another program takes first is another one", () => {
    const { kernel, file } = machine({ taken: 3 });
    expect(attachLoop(kernel.sys, file, { readOnly: true, name: "x" }).number).toBe(1);
  });

  test("that is always taken is given up, and nothing stays open", () => {
    const { kernel, file } = machine({ taken: 1000 });
    expect(() => attachLoop(kernel.sys, file, { readOnly: true, name: "x" })).toThrow("EBUSY");
    expect([...kernel.machine.fds.keys()]).toEqual([file]);
  });

  test("leaves nothing open, whichever call fails", () => {
    let failed = 0;
    for (let nth = 1; nth <= 6; nth++) {
      const { kernel, file } = machine();
      try {
        attachLoop(failing(kernel.sys, nth, "EIO"), file, { readOnly: true, name: "x" });
      } catch (error) {
        expect(String(error)).toContain("EIO");
        failed += 1;
        // A close that fails has closed on a real kernel; the fake's was not made.
        if (nth < 5) expect([...kernel.machine.fds.keys()]).toEqual([file]);
      }
    }
    expect(failed).toBeGreaterThanOrEqual(4);
  });
});
