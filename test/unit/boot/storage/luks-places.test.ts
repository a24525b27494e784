/** Keys and headers on a stick, on a machine in memory. */

import { expect, test } from "bun:test";
import type { Boot } from "../../../../src/boot/context.ts";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import { plainLog } from "../../../../src/boot/log.ts";
import { type Reach, withPlace } from "../../../../src/boot/storage/luks-places.ts";
import { device, fakeKernel } from "../../../../syscalls/fake.ts";
import { exists } from "../../../../syscalls/index.ts";

const SIZE_BYTES = 1024 * 1024;

/** The beginning of a disk with the superblock of an ext4. */
function ext4(): Uint8Array {
  const bytes = new Uint8Array(SIZE_BYTES);
  const view = new DataView(bytes.buffer, 1024);
  view.setUint16(0x38, 0xef53, true);
  // Extents.
  view.setUint32(0x60, 0x40, true);
  bytes.set(Buffer.from("STICK"), 1024 + 0x78);
  return bytes;
}

function place(path: string) {
  return { path, device: "LABEL=STICK" };
}

function scene() {
  const bytes = ext4();
  const kernel = fakeKernel({
    rootfs: {
      sys: { class: { block: { vdc: { uevent: "MAJOR=254\nMINOR=2\nDEVNAME=vdc\n", size: "2048\n" } } } },
      dev: { vdc: device("block", "254:2") },
      run: {},
      proc: {},
    },
    mounts: [{ at: "/proc", type: "proc" }],
    disks: { "254:2": { type: "ext4", tree: { key: "secret", "header.img": "header" } } },
    devices: { "block 254:2": { read: (length, offset) => bytes.subarray(offset, offset + length) } },
  });
  const { sys } = kernel;
  const devices = new BlockDevices(sys);
  devices.scan();
  const said: string[] = [];
  const reach: Reach = {
    boot: { sys, log: plainLog((_, message) => said.push(message)) } as Boot,
    context: { changed: () => undefined, loadModules: async () => undefined },
    devices,
    signal: new AbortController().signal,
    waiting: () => undefined,
  };
  const nothingLeft = (): void => {
    expect(kernel.mounts().map(({ path }) => path)).toEqual(["/", "/proc"]);
    expect(exists(sys, "/run/rdinit")).toBe(false);
    expect(said).toEqual([]);
  };
  return { sys, reach, nothingLeft };
}

test("a file on a device is within reach for as long as it is used", async () => {
  const { sys, reach, nothingLeft } = scene();
  const use = async (path: string) => exists(sys, path);
  expect(await withPlace(reach, place("/key"), 1000, use)).toBe(true);
  expect(await withPlace(reach, place("header.img"), 1000, use)).toBe(true);
  expect(await withPlace(reach, place("/other"), 1000, use)).toBe("/other is not on /dev/vdc");
  nothingLeft();
});

test("a volume may have its header where its key is", async () => {
  const { sys, reach, nothingLeft } = scene();
  const both = await withPlace(reach, place("/key"), 1000, async (key) =>
    withPlace(reach, place("/header.img"), 1000, async (header) => exists(sys, key) && exists(sys, header)),
  );
  expect(both).toBe(true);
  nothingLeft();
});

test("several volumes may have their keys on one device, and let go of it one after the other", async () => {
  const { sys, reach, nothingLeft } = scene();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const uses = [first, second].map((until) =>
    withPlace(reach, place("/key"), 1000, async (path) => {
      await until.promise;
      return exists(sys, path);
    }),
  );
  await Bun.sleep(20);
  first.resolve();
  await Bun.sleep(5);
  second.resolve();
  expect(await Promise.all(uses)).toEqual([true, true]);
  nothingLeft();
});
