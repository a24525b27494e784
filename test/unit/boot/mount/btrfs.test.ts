import { describe, expect, test } from "bun:test";
import { gatherBtrfs, isSameBtrfs } from "../../../../src/boot/mount/btrfs.ts";
import type { Found } from "../../../../src/probe/superblock.ts";
import { BTRFS_IOC_DEVICES_READY, BTRFS_IOC_SCAN_DEV } from "../../../../syscalls/constants.ts";
import { device, fakeKernel } from "../../../../syscalls/fake.ts";
import { View } from "../../../../src/lib/bytes.ts";
import { DisksInMemory, bootOn, diskWith, noLayers } from "../../../fixtures/disks-in-memory.ts";

const half = (devid: string, num_devices = "2"): Found => ({
  type: "btrfs",
  usage: "filesystem",
  uuid: "aaaa",
  uuid_sub: `sub${devid}`,
  details: { num_devices, devid },
});

/** A kernel whose btrfs has two devices, and has to be told of each. */
function machine() {
  const known = new Set<string>();
  const kernel = fakeKernel({
    rootfs: { dev: { "btrfs-control": device("char", "10:234") } },
    devices: {
      "char 10:234": {
        ioctl(request, argument) {
          if (typeof argument === "number" || argument.length !== 4096) throw new Error("no arguments");
          const path = new View(argument).string(8, 4088);
          // It takes in the device that it is asked about, as the kernel does.
          known.add(path);
          if (request === BTRFS_IOC_SCAN_DEV) return 0;
          if (request === BTRFS_IOC_DEVICES_READY) return known.size === 2 ? 0 : 1;
          throw new Error(`request ${request}`);
        },
      },
    },
  });
  return { kernel, known };
}

const vda = diskWith("vda", "254:0", half("1"));
const vdb = diskWith("vdb", "254:16", half("2"));
const stranger = diskWith("vdc", "254:32", { ...half("1"), uuid: "bbbb" });
const load = async (): Promise<void> => undefined;

describe("a btrfs on two devices", () => {
  test("is ready when the kernel was told of both, and of no other", async () => {
    const { kernel, known } = machine();
    const { boot, lines } = bootOn(kernel.sys, "");
    const disks = new DisksInMemory(kernel.sys, [vda, stranger, vdb]);
    await gatherBtrfs(boot, disks, { device: vda, data: "", timeout_ms: 1000, layers: noLayers }, load);
    expect([...known].toSorted()).toEqual(["/dev/vda", "/dev/vdb"]);
    expect(lines).toEqual([]);
  });

  test("waits for the second", async () => {
    const { kernel } = machine();
    const { boot } = bootOn(kernel.sys, "");
    const disks = new DisksInMemory(kernel.sys, [vda]);
    let done = false;
    const wish = { device: vda, data: "", timeout_ms: undefined, layers: noLayers };
    const gathering = gatherBtrfs(boot, disks, wish, load).then(() => (done = true));
    await new Promise((resolve) => void setImmediate(resolve));
    expect(done).toBe(false);
    disks.plug(vdb);
    await gathering;
    expect(done).toBe(true);
  });

  test("is refused without it, and taken when the options say degraded", async () => {
    const { kernel } = machine();
    const { boot, lines } = bootOn(kernel.sys, "");
    const disks = new DisksInMemory(kernel.sys, [vda]);
    const wish = { device: vda, timeout_ms: 1, layers: noLayers };
    const refused = await gatherBtrfs(boot, disks, { ...wish, data: "compress=zstd" }, load).catch(String);
    expect(refused).toStartWith(
      "UserError: The btrfs aaaa has 1 of its 2 devices (vda), and the others did not appear",
    );
    await gatherBtrfs(boot, disks, { ...wish, data: "compress=zstd,degraded" }, load);
    expect(lines).toEqual([
      "warning: the btrfs aaaa has 1 of its 2 devices (vda); it is mounted degraded, as its options say.",
    ]);
  });
});

test("a btrfs on one device, and a kernel without btrfs, cost no wait", async () => {
  const { kernel, known } = machine();
  const { boot } = bootOn(kernel.sys, "");
  const single = diskWith("vda", "254:0", half("1", "1"));
  const wish = { data: "", timeout_ms: undefined, layers: noLayers };
  await gatherBtrfs(boot, new DisksInMemory(kernel.sys, [single]), { ...wish, device: single }, load);
  expect([...known]).toEqual([]);

  const bare = fakeKernel({ rootfs: { dev: {} } });
  const other = bootOn(bare.sys, "");
  await gatherBtrfs(other.boot, new DisksInMemory(bare.sys, [vda]), { ...wish, device: vda }, load);
  expect(other.lines).toEqual([
    "warning: the kernel does not take /dev/vda as a device of a btrfs: open /dev/btrfs-control: no such file or directory (ENOENT).",
    expect.stringMatching(/^debug: whether all devices of \/dev\/vda are there can't be told/),
  ]);
});

test("two devices of one filesystem are told from two filesystems with one UUID", async () => {
  expect(await isSameBtrfs(vda, vdb)).toBe(true);
  expect(await isSameBtrfs(vda, stranger)).toBe(false);
  expect(await isSameBtrfs(vda, diskWith("copy", "1:1", half("1")))).toBe(false);
});
