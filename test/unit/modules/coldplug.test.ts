import { expect, test } from "bun:test";
import { findModaliases, type SysfsReader } from "../../../src/modules/coldplug.ts";
import { SysError } from "../../../syscalls/error.ts";

/** A tree of paths; a value of null is a symlink, "gone" a file that can't be read. */
function sysfs(files: Record<string, string | null>): SysfsReader & { readonly listed: string[] } {
  const listed: string[] = [];
  return {
    listed,
    list: (path) => {
      listed.push(path);
      const names = new Map<string, "file" | "directory" | "symlink">();
      for (const [file, content] of Object.entries(files)) {
        if (!file.startsWith(`${path}/`)) continue;
        const [name = "", ...below] = file.slice(path.length + 1).split("/");
        names.set(name, below.length > 0 ? "directory" : content === null ? "symlink" : "file");
      }
      if (names.size === 0) throw new SysError("openat", 2, "ENOENT", "no such file or directory", path);
      return [...names].map(([name, type]) => ({ name, type }));
    },
    readTextIfThere: (path) => {
      if (files[path] === "gone") throw new SysError("read", 19, "ENODEV", "no such device", path);
      return files[path] ?? undefined;
    },
  };
}

test("all modaliases are found, each once", () => {
  const tree = sysfs({
    "/sys/bus/pci/devices/0000:00:01.0/modalias": "pci:v1\n",
    "/sys/bus/pci/devices/0000:00:02.0/modalias": "pci:v1\n",
    "/sys/bus/pci/devices/0000:00:02.0/power/control": "auto\n",
    "/sys/bus/virtio/devices/virtio0/modalias": "virtio:d2\n",
    "/sys/bus/usb/devices/usb1/uevent": "DRIVER=usb\n",
    "/sys/bus/acpi/devices/empty/modalias": "\n",
    "/sys/bus/acpi/devices/broken/modalias": "gone",
    "/sys/bus/memory/devices/memory0/modalias": "never read\n",
    "/sys/class/input/input0/modalias": "input:b0011\n",
    "/sys/class/dmi/id/modalias": "dmi:bvn\n",
    "/sys/devices/system/cpu/modalias": "cpu:type:x86\n",
  });
  expect([...findModaliases(tree)].sort()).toEqual([
    "cpu:type:x86",
    "dmi:bvn",
    "input:b0011",
    "pci:v1",
    "virtio:d2",
  ]);
  expect(tree.listed).not.toContain("/sys/bus/memory/devices");
});

test("a bus is passed over when no module can serve its devices", () => {
  const tree = sysfs({
    "/sys/bus/pci/devices/a/modalias": "pci:v1\n",
    "/sys/bus/usb/devices/b/modalias": "usb:v1\n",
    "/sys/bus/new_bus/devices/c/modalias": "whatever:1\n",
    "/sys/bus/platform/devices/d/modalias": "acpi:PNP0501:\n",
    "/sys/devices/system/cpu/modalias": "cpu:type:x86\n",
  });
  const found = findModaliases(tree, (scheme) => scheme === "pci" || scheme === "acpi");
  expect([...found].sort()).toEqual(["acpi:PNP0501:", "pci:v1", "whatever:1"]);
  expect(tree.listed).not.toContain("/sys/bus/usb/devices");
});

test("no sysfs, no devices", () => {
  expect(findModaliases(sysfs({})).size).toBe(0);
});
