import { expect, test } from "bun:test";
import type { Member, StorageLayer } from "../../../../src/boot/storage/layer.ts";
import { Storage } from "../../../../src/boot/storage/storage.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { DisksInMemory, diskWith } from "../../../fixtures/disks-in-memory.ts";

const swap = { type: "swap", usage: "other" } as const;

/** A layer for swap that is busy while it has an odd number of members, and what it was told. */
function layerOf(updates: string[][]): StorageLayer {
  const names = (): string[] => updates.at(-1) ?? [];
  return {
    types: ["swap"],
    update: (members: readonly Member[]) => void updates.push(members.map(({ device }) => device.name)),
    waitsFor: () => [],
    isBusy: () => names().length % 2 === 1,
    lacks: () => names().map((what) => ({ what, required: false })),
    problems: () => [],
    stop: async () => {},
  };
}

test("a layer is told of each change of the devices, and of nothing else", async () => {
  const devices = new DisksInMemory(fakeKernel().sys, [diskWith("vda", "8:0", swap)]);
  const updates: string[][] = [];
  const storage = new Storage(devices, layerOf(updates));
  void storage.run();
  await Bun.sleep(0);
  expect(updates).toEqual([["vda"]]);
  // A layer's own word to those who wait.
  devices.wake();
  await Bun.sleep(0);
  expect(updates).toHaveLength(1);
  devices.plug(diskWith("vdb", "8:16", undefined));
  devices.plug(diskWith("vdc", "8:32", swap));
  await Bun.sleep(0);
  expect(updates.at(-1)).toEqual(["vda", "vdc"]);
  expect(storage.lacks().map(({ what }) => what)).toEqual(["vda", "vdc"]);
  await storage.stop();
});

test("whoever waits is woken when a change of the devices leaves no layer busy", async () => {
  const devices = new DisksInMemory(fakeKernel().sys, [diskWith("vda", "8:0", swap)]);
  const storage = new Storage(devices, layerOf([]));
  void storage.run();
  await Bun.sleep(0);
  expect(storage.isBusy()).toBe(true);
  devices.plug(diskWith("vdb", "8:16", swap));
  // Asked for at once, as a wait does that is woken by the same change.
  let woken = false;
  void devices.changed().then(() => (woken = true));
  await Bun.sleep(0);
  expect([storage.isBusy(), woken]).toEqual([false, true]);
  await storage.stop();
});

test("nothing is looked at before somebody needs a device, or all are wanted", async () => {
  const devices = new DisksInMemory(fakeKernel().sys, [diskWith("vda", "8:0", swap)]);
  const updates: string[][] = [];
  const storage = new Storage(devices, layerOf(updates));
  devices.wake();
  await Bun.sleep(0);
  expect(updates).toEqual([]);
  storage.need({ kind: "path", name: "sda" });
  void storage.run();
  await Bun.sleep(0);
  expect(updates).toEqual([["vda"]]);
  await storage.stop();
});

test("after the end nothing is told, and what members are not of a type never is", async () => {
  const devices = new DisksInMemory(fakeKernel().sys, [diskWith("vda", "8:0", { ...swap, type: "ext4" })]);
  const updates: string[][] = [];
  let stopped = 0;
  const storage = new Storage(devices, { ...layerOf(updates), stop: async () => void stopped++ });
  void storage.run();
  await Bun.sleep(0);
  expect(updates).toEqual([[]]);
  await storage.stop();
  devices.plug(diskWith("vdb", "8:16", swap));
  await Bun.sleep(0);
  expect([updates, stopped]).toEqual([[[]], 1]);
});

test("what layers do not say of themselves is no; what they do is passed on", () => {
  const devices = new DisksInMemory(fakeKernel().sys, []);
  const plain = new Storage(devices, layerOf([]));
  expect([plain.isBusy(), plain.asks(), plain.hasRefused()]).toEqual([false, false, false]);
  const asking = new Storage(devices, { ...layerOf([["vda"]]), asks: () => true, hasRefused: () => true });
  expect([asking.isBusy(), asking.asks(), asking.hasRefused()]).toEqual([true, true, true]);
});
