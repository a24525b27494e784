/** The storage layers are loaded for the first disk that is theirs, and answer from then on. */

import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { parseDeviceRef } from "../../../../src/boot/devices/deviceref.ts";
import type { Member, StorageLayer } from "../../../../src/boot/storage/layer.ts";
import { makeLayers } from "../../../../src/boot/storage/layers.ts";
import { LayersOnDemand, MEMBER_TYPES, namesLayers } from "../../../../src/boot/storage/on-demand.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { DisksInMemory, diskWith } from "../../../fixtures/disks-in-memory.ts";

const luks = { type: "crypto_LUKS", usage: "crypto" } as const;

/** The front of a layer for LUKS that takes its time to come, and what happened to that. */
function setting(make?: () => Promise<readonly StorageLayer[]>) {
  const { log, lines } = collectLog();
  const kernel = fakeKernel({ rootfs: {} });
  const device = diskWith("vda", "8:0", luks);
  const devices = new DisksInMemory(kernel.sys, [device]);
  const said: string[] = [];
  const layer: StorageLayer = {
    types: ["crypto_LUKS"],
    update: (members) => void said.push(`update ${members.length}`),
    waitsFor: () => ["waits"],
    isBusy: () => false,
    need: () => void said.push("need"),
    asks: () => true,
    hasRefused: () => true,
    lacks: () => [{ what: "x", required: true }],
    problems: () => ["problem"],
    stop: async () => void said.push("stop"),
  };
  const loaded = Promise.withResolvers<readonly StorageLayer[]>();
  const boot = { sys: kernel.sys, log, words: [] } as unknown as Boot;
  const context = { changed: () => void said.push("changed"), loadModules: async () => {} };
  const front = new LayersOnDemand(boot, context, devices, make ?? (() => loaded.promise));
  const member: Member = { device, found: luks };
  return { front, said, lines, member, boot, devices, context, come: () => loaded.resolve([layer]) };
}

test("nothing is loaded without a member", () => {
  const { front, said } = setting(() => Promise.reject(new Error("it was loaded")));
  front.update([]);
  expect(front.isBusy()).toBe(false);
  expect([front.waitsFor(), front.problems(), front.lacks()]).toEqual([[], [], []]);
  expect([front.asks(), front.hasRefused(), said]).toEqual([false, false, []]);
});

test("a member loads them; until they are there they are busy, and nothing is lost", async () => {
  const { front, said, member, come } = setting();
  const root = parseDeviceRef("LABEL=x");
  if (typeof root !== "object") throw new Error("no device");
  front.need(root);
  front.update([member]);
  expect(front.isBusy()).toBe(true);
  front.update([member, member]);
  come();
  await front.load();
  expect(said).toEqual(["need", "update 2", "changed"]);
  expect(front.isBusy()).toBe(false);
  front.update([]);
  front.need(root);
  expect(said.slice(3)).toEqual(["update 0", "need"]);
  expect([front.waitsFor(), front.problems(), front.asks(), front.hasRefused()]).toEqual([
    ["waits"],
    ["problem"],
    true,
    true,
  ]);
  await front.stop();
  expect(said.at(-1)).toBe("stop");
});

test("who has stopped them meanwhile is waited for, and nothing is begun", async () => {
  const { front, said, member, come } = setting();
  front.update([member]);
  const stopped = front.stop();
  come();
  await stopped;
  expect(said).toEqual(["changed", "stop"]);
});

test("what can't be loaded is told, and stays a problem", async () => {
  const { front, lines, member, said } = setting(() =>
    Promise.reject(new UserError("No memory.", "Buy some.")),
  );
  front.update([member]);
  await front.load();
  expect(front.isBusy()).toBe(false);
  expect(front.problems()).toEqual(["No memory. Buy some."]);
  expect(lines.join()).toContain("No memory. Buy some.");
  expect(said).toEqual(["changed"]);
});

test("the types are those of the layers", () => {
  const { boot, context, devices } = setting();
  const options = { root: undefined };
  const layers = makeLayers({ ...boot, options } as unknown as Boot, context, devices);
  expect(layers.flatMap(({ types }) => types).toSorted()).toEqual(MEMBER_TYPES.toSorted());
});

test.each([
  ["root=/dev/vda quiet", {}, false],
  ["rd.md.uuid=1", {}, true],
  ["rd.lvm.lv=a/b", {}, true],
  ["rd.luks=0", {}, true],
  ["luks.name=x=y", {}, true],
  ["mdadm=1 lvmx", {}, false],
  ["", { etc: { crypttab: "" } }, true],
] as const)("%p with %p names layers: %p", (line, rootfs, expected) => {
  const { sys } = fakeKernel({ rootfs });
  expect(namesLayers({ sys, words: parseCommandLine(line) } as unknown as Boot)).toBe(expected);
});
