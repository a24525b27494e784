import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mountPoints, moveKernelMounts, putBack } from "../../../../src/boot/handover/moves.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { earlyMachine } from "../../../fixtures/early-machine.ts";

// The kernel escapes blank, tab, line feed and backslash (show_mountinfo(), seq_path()).
function escapePath(path: string): string {
  return path.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

describe("mountinfo", () => {
  test("mount points in their order, with the optional fields before the dash", () => {
    const lines = [
      "1 1 0:2 / / rw - rootfs none rw",
      "22 1 0:20 / /sys rw,nosuid shared:7 master:1 - sysfs sysfs rw",
      "30 1 8:1 /sub /mnt/a\\040b\\011\\134\\012 rw - ext4 /dev/sda1 rw",
      "",
    ];
    expect(mountPoints(lines.join("\n"))).toEqual(["/", "/sys", "/mnt/a b\t\\\n"]);
  });

  test("nothing of an empty file, and of a line without fields", () => {
    expect(mountPoints("")).toEqual([]);
    expect(mountPoints("junk\n1 2 3\n")).toEqual([]);
  });

  test("any bytes of a path come back", () => {
    const byte = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(byte, fc.constantFrom("\\", " ", "0", "4", "\n")) }), (name) => {
        expect(mountPoints(`1 1 0:2 / /${escapePath(name)} rw - tmpfs none rw\n`)).toEqual([`/${name}`]);
      }),
    );
  });
});

test("what is moved, what lies below it, and what is left", () => {
  const kernel = earlyMachine();
  expect(moveKernelMounts(kernel.sys, collectLog().log, "/sysroot")).toEqual({
    moved: ["/proc", "/sys", "/dev", "/run"],
    below: ["/dev/pts"],
    left: ["/mnt/data"],
  });
  expect(kernel.mounts().map(({ path }) => path)).toContain("/sysroot/dev/pts");
});

test("what can't be moved back is told, and the rest is", () => {
  const kernel = earlyMachine();
  const { log, lines } = collectLog();
  const { moved } = moveKernelMounts(kernel.sys, log, "/sysroot");
  const sys = intercept(kernel.sys, (call, proceed) => {
    if (call.args[1] !== "/dev") return proceed();
    throw refusalOf(call.name, call.args, "EBUSY");
  });
  putBack(sys, log, "/sysroot", moved);
  expect(lines).toEqual([
    "warning: /dev could not be moved back from the new root: mount /dev: in use (EBUSY).",
  ]);
  const paths = kernel.mounts().map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["/proc", "/sys", "/run", "/sysroot/dev"]));
});
