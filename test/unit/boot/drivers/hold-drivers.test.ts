import { expect, test } from "bun:test";
import { loadsDrivers, mayHoldBack } from "../../../../src/boot/drivers/hold-drivers.ts";
import { type Tree, fakeKernel, program } from "../../../../syscalls/fake.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

const may = (line: string, rootfs: Tree = {}): boolean =>
  mayHoldBack(bootOn(fakeKernel({ rootfs }).sys, line).boot);

test("drivers are held back on a plain boot, words for the real system or not", () => {
  expect(may("")).toBe(true);
  expect(may("root=UUID=1-2 ro quiet splash name=value 3 systemd.show_status=1")).toBe(true);
});

test.each([
  ...["init=/bin/sh", "single", "s", "1", "emergency", "rescue", "systemd.unit=rescue.target"],
  ...["rd.break", "ip=dhcp", "rd.neednet=1"],
])("they are not when someone may look for their devices: %s", (line) => {
  expect(may(line)).toBe(false);
});

/** An image with a hook. */
function hooks(point: string): Tree {
  return { etc: { "rdinit.d": { [point]: { "10-hook": program("x") } } } };
}

/** Whether the system with this root does. */
function at(root: Tree): boolean {
  return loadsDrivers(fakeKernel({ rootfs: { sysroot: root } }).sys, "/sysroot");
}

test("nor when a hook may", () => {
  expect(may("", hooks("pre-pivot"))).toBe(false);
  expect(may("", hooks("cleanup"))).toBe(false);
  expect(may("", hooks("cmdline"))).toBe(true);
});

test("a system loads its drivers when it has modules of this kernel, and udev", () => {
  const modules = { modules: { "6.1.0": { "modules.dep": "" } } };
  const udev = { systemd: { "systemd-udevd": program("x") } };
  expect(at({ usr: { lib: { ...modules, ...udev } } })).toBe(true);
  expect(at({ lib: modules, sbin: { udevd: program("x") } })).toBe(true);
  expect(at({ usr: { lib: modules } })).toBe(false);
  expect(at({ usr: { lib: udev } })).toBe(false);
});
