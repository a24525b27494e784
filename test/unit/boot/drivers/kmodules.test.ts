import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { KernelModules, hasModules } from "../../../../src/boot/drivers/kmodules.ts";
import { type Tree, fakeKernel, symlink } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";

const modules = { "modules.dep": "a.ko:\n", "modules.alias": "alias pci:* a\n", "a.ko": "\x7fELF\0name=a\0" };

test("a module that a device asks for is loaded, and settled() waits for it", async () => {
  const kernel = fakeKernel({ rootfs: { lib: { modules: { "6.1.0": modules } } } });
  const { log, lines } = collectLog();
  const loader = new KernelModules(kernel.sys, log, []);
  loader.request(["pci:v1"]);
  await loader.settled();
  expect(kernel.modules.map(({ name }) => name)).toEqual(["a"]);
  expect(lines).toEqual(["debug: loaded a"]);
});

test("an error of our own while modules load is told, and nobody waits for ever", async () => {
  const kernel = fakeKernel({ rootfs: { lib: { modules: { "6.1.0": modules } } } });
  const { log, lines } = collectLog();
  const sys = intercept(kernel.sys, (call, proceed) => {
    if (call.name === "slow.finitModule" || call.name === "slow.initModule")
      throw new TypeError("x is undefined");
    return proceed();
  });
  const loader = new KernelModules(sys, log, []);
  loader.request(["pci:v1"]);
  await loader.settled();
  await loader.load(["a"]);
  await loader.settled();
  expect(lines.some((line) => line.includes("x is undefined"))).toBe(true);
});

test.each([
  [
    "modprobe.blacklist=a",
    ["The module a is not loaded: it is blacklisted, on the command line or in modprobe.d."],
  ],
  [
    "module_blacklist=a",
    ["The module a is not loaded: module_blacklist= on the kernel command line forbids it."],
  ],
  ["modprobe.blacklist=b", []],
])("with %s, what is said of a driver that a device asks for", async (line, wanted) => {
  const kernel = fakeKernel({ rootfs: { lib: { modules: { "6.1.0": modules } } } });
  const loader = new KernelModules(kernel.sys, collectLog().log, parseCommandLine(line));
  loader.request(["pci:v1"]);
  await loader.settled();
  expect(loader.refused()).toEqual(wanted);
  // Who asks by its name gets it, unless it is never to be loaded.
  await loader.load(["a"]);
  expect(loader.refused()).toEqual(line.startsWith("module_") ? wanted : []);
});

const at = (root: Tree): boolean => hasModules(fakeKernel({ rootfs: { sysroot: root } }).sys, "/sysroot");

test("whether a root holds modules for the running kernel, in /lib or /usr/lib", () => {
  const held = { modules: { "6.1.0": { "modules.dep": "" } } };
  expect(at({ lib: held })).toBe(true);
  expect(at({ usr: { lib: held }, lib: symlink("usr/lib") })).toBe(true);
  expect(at({ usr: { lib: { modules: { "6.1.1": held.modules["6.1.0"] } } } })).toBe(false);
  expect(at({})).toBe(false);
});

test("what no disk and no keyboard needs is put off until it is asked for, and nothing waits for it", async () => {
  const files = {
    ...modules,
    "modules.alias": "alias serio:* a\nalias cpu:* b\nalias input:* b\n",
    "b.ko": "\x7fELF\0name=b\0",
  };
  files["modules.dep"] = "a.ko:\nb.ko:\n";
  const kernel = fakeKernel({ rootfs: { lib: { modules: { "6.1.0": files } } } });
  const loader = new KernelModules(kernel.sys, collectLog().log, []);
  loader.request(["cpu:type:x86,feature:1", "input:b0011", "serio:ty06pr00id00ex00"]);
  await loader.settled();
  expect(kernel.modules.map(({ name }) => name)).toEqual(["a"]);
  loader.requestLater();
  await loader.settled();
  expect(kernel.modules.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("drivers of disks that are held back are left to the real system, those of keyboards are not", async () => {
  const files = {
    "modules.dep": "disk.ko: bus.ko\nbus.ko:\nkeyboard.ko:\n",
    "modules.alias": "alias pci:*bc01* disk\nalias usb:* keyboard\n",
    ...{ "disk.ko": "\x7fELF\0name=disk\0", "bus.ko": "\x7fELF\0name=bus\0" },
    "keyboard.ko": "\x7fELF\0name=keyboard\0",
  };
  const kernel = fakeKernel({ rootfs: { lib: { modules: { "6.1.0": files } } } });
  const { log, lines } = collectLog();
  const loaded = (): (string | undefined)[] => kernel.modules.map(({ name }) => name);
  const loader = new KernelModules(kernel.sys, log, []);
  loader.holdBack();
  loader.request(["pci:v1bc01", "usb:v1"]);
  await loader.load(["keyboard"]);
  expect(loaded()).toEqual(["keyboard"]);
  expect(loader.isSettled()).toBe(false);
  loader.leaveRest();
  await loader.settled();
  expect(loaded()).toEqual(["keyboard"]);
  expect(lines.filter((line) => !line.startsWith("debug: loaded"))).toEqual([]);

  // Whoever then asks for them gets them all the same.
  loader.request(["pci:v1bc01"]);
  loader.goOn();
  await loader.settled();
  expect(loaded()).toEqual(["keyboard", "bus", "disk"]);
});
