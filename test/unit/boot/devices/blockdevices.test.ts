import { describe, expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import { type Tree, device, fakeKernel, symlink } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";

const numbered = (minor: number, more = ""): string => `MAJOR=8\nMINOR=${minor}\n${more}`;
const files = (uevent: string, size = "2048\n"): Tree => ({ uevent, size });

const block: Tree = {
  sda: {
    ...files(numbered(0, "DEVNAME=sda\n")),
    sda1: files(numbered(1, "DEVNAME=sda1\nPARTN=1\nPARTNAME=EFI\n")),
    sda2: files(numbered(2, "DEVNAME=sda2\nPARTN=2\n")),
    sda10: files(numbered(10, "DEVNAME=sda10\nPARTN=10\n")),
  },
  sr0: files(numbered(20, "DEVNAME=sr0\n"), "0\n"),
  // A path of a multipath NVMe disk has no number, and so no node.
  nvme0c0n1: files("DEVTYPE=disk\n"),
  "dm-0": { ...files("MAJOR=253\nMINOR=0\nDEVNAME=dm-0\n"), dm: { name: "vg-root\n" } },
};

function machine() {
  const links = ["sda", "sr0", "nvme0c0n1", "dm-0"].map((name) => [
    name,
    symlink(`../../devices/block/${name}`),
  ]);
  const parts = ["sda1", "sda2", "sda10"].map((name) => [name, symlink(`../../devices/block/sda/${name}`)]);
  return fakeKernel({
    rootfs: {
      sys: { devices: { block }, class: { block: Object.fromEntries([...links, ...parts]) } },
      dev: { sda: device("block", "8:0") },
    },
    devices: { "block 8:0": { read: (length) => new Uint8Array(length) } },
  });
}

const event = (action: string, name: string) => ({
  action,
  devpath: `/devices/block/${name}`,
  values: new Map([["SUBSYSTEM", "block"]]),
});

describe("the devices that sysfs lists", () => {
  test("those with a number and a size, in the order people count", () => {
    const devices = new BlockDevices(machine().sys);
    devices.scan();
    expect(devices.all().map(({ name }) => name)).toEqual(["dm-0", "sda", "sda1", "sda2", "sda10"]);
    expect(devices.get("sda")).toMatchObject({ node: "/dev/sda", rdev: "8:0", size_bytes: 1 << 20 });
    expect(devices.get("sda1")?.partition).toEqual({ number: 1, name: "EFI", disk: "sda" });
    expect(devices.get("sda2")?.partition).toEqual({ number: 2, name: undefined, disk: "sda" });
    expect(devices.get("dm-0")?.dmName).toBe("vg-root");
  });

  test("a device that goes away while it is looked at ends nothing", () => {
    for (const code of ["ENOENT", "ENODEV", "EIO"] as const)
      for (const fails of ["readlink", "read", "open"] as const) {
        const sys = intercept(machine().sys, (call, proceed) => {
          if (call.name !== fails || call.args[0] === "/sys/class/block") return proceed();
          throw refusalOf(call.name, call.args, code);
        });
        const devices = new BlockDevices(sys);
        expect(() => devices.scan()).not.toThrow();
      }
  });
});

describe("events", () => {
  test("bring and take devices, and wake who waits", async () => {
    const devices = new BlockDevices(machine().sys);
    let woken = 0;
    void devices.changed().then(() => (woken += 1));
    devices.handle(event("add", "sda"));
    await Promise.resolve();
    await Promise.resolve();
    expect(woken).toBe(1);
    expect(devices.get("sda")).toBeDefined();
    devices.handle(event("remove", "sda"));
    expect(devices.all()).toEqual([]);
  });

  test("that come at once look at each device once, and the last one counts", async () => {
    const kernel = machine();
    const devices = new BlockDevices(kernel.sys);
    const { version } = devices;
    const storm = Array.from({ length: 200 }, () => event("change", "sda"));
    devices.handle(event("remove", "sda"), ...storm, event("add", "sda1"), event("remove", "sda1"));
    expect(devices.all().map(({ name }) => name)).toEqual(["sda"]);
    expect(devices.version).toBe(version + 1);
    const looks = kernel.calls.filter(({ args }) => args[0] === "/sys/class/block/sda/uevent");
    expect(looks).toHaveLength(1);
  });

  test("of other subsystems wake nobody", async () => {
    const devices = new BlockDevices(machine().sys);
    let woken = false;
    void devices.changed().then(() => (woken = true));
    devices.handle({ action: "add", devpath: "/devices/x", values: new Map([["SUBSYSTEM", "net"]]) });
    await Promise.resolve();
    await Promise.resolve();
    expect(woken).toBe(false);
  });
});

test("a device is read once until it changes, and by a sentence when it can't be", async () => {
  const kernel = machine();
  const devices = new BlockDevices(kernel.sys);
  devices.scan();
  const opens = (): number =>
    kernel.calls.filter(({ name, args }) => name === "slow.open" && args[0] === "/dev/sda").length;
  await devices.get("sda")?.contents();
  await devices.get("sda")?.contents();
  expect(opens()).toBe(1);
  devices.handle(event("change", "sda"));
  expect(await devices.get("sda")?.contents()).toEqual({ found: undefined, problem: undefined });
  expect(opens()).toBe(2);
  const gone = await devices.get("sda2")?.contents();
  expect(gone?.problem).toBe("/dev/sda2 can't be read: open /dev/sda2: no such file or directory (ENOENT).");
  expect([...kernel.machine.fds.keys()]).toEqual([]);
});

const dm = (name: string, uuid: string, suspended = "0"): Tree => ({
  ...files("MAJOR=253\nMINOR=0\n"),
  dm: { name: `${name}\n`, uuid: `${uuid}\n`, suspended: `${suspended}\n` },
});

test("parts of logical volumes, and what is suspended, are no devices to others", () => {
  const volume = `LVM-${"a".repeat(64)}`;
  const listed = {
    "dm-0": dm("vg-lv", volume),
    "dm-1": dm("vg-lv_rimage_0", volume),
    "dm-2": dm("vg-origin-real", `${volume}-real`),
    "dm-3": dm("vg-asleep", volume, "1"),
    "dm-4": dm("clear_rimage_0", "CRYPT-LUKS2-12-clear"),
  };
  const devices = new BlockDevices(fakeKernel({ rootfs: { sys: { class: { block: listed } } } }).sys);
  devices.scan();
  expect(devices.all().map(({ name }) => name)).toEqual(["dm-0", "dm-4"]);
});
