import { describe, expect, test } from "bun:test";
import type { ChildRequest, ChildResult } from "../../../../src/boot/children/children.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { makeReady } from "../../../../src/boot/mount/mountdevice.ts";
import type { Found } from "../../../../src/probe/superblock.ts";
import { fakeKernel, program } from "../../../../syscalls/fake.ts";
import { DisksInMemory, bootOn, diskWith, noLayers } from "../../../fixtures/disks-in-memory.ts";

/** What is run to make a device ready, and whether it is taken as it was. */
async function ready(found: Found | undefined, types: readonly string[], status = 0) {
  const tools = { e2fsck: program(), "fsck.f2fs": program(), "fsck.swap": program() };
  const { sys } = fakeKernel({ rootfs: { run: {}, usr: { sbin: tools } } });
  const { boot } = bootOn(sys);
  const device = diskWith("vda", "254:0", found);
  const devices = new DisksInMemory(sys, [diskWith("vda", "254:0", found)]);
  const programs: string[] = [];
  const run = async (_: Boot, { argv }: ChildRequest): Promise<ChildResult> => {
    programs.push(argv[0] ?? "");
    return { end: { kind: "exited", status }, output: "" };
  };
  const wish = { device, types, data: "", pass: 1, part: "root", timeout_ms: 1, layers: noLayers } as const;
  const taken = await makeReady(boot, devices, wish, async () => undefined, run);
  return { programs, isSame: taken === device };
}

const ext4: Found = { type: "ext4", usage: "filesystem" };

describe("before a device is mounted", () => {
  test("its filesystem is checked, as it was found", async () => {
    expect(await ready(ext4, [])).toEqual({ programs: ["e2fsck"], isSame: true });
  });

  test("what has been mended is looked at anew", async () => {
    expect(await ready(ext4, [], 1)).toEqual({ programs: ["e2fsck"], isSame: false });
  });

  test("the one type that is named counts, not one of several", async () => {
    expect((await ready(ext4, ["f2fs"])).programs).toEqual(["fsck.f2fs"]);
    expect((await ready(undefined, ["f2fs"])).programs).toEqual(["fsck.f2fs"]);
    expect((await ready(ext4, ["f2fs", "xfs"])).programs).toEqual(["e2fsck"]);
  });

  test("what is unknown, or no filesystem, is left alone, whatever it is called", async () => {
    expect((await ready(undefined, [])).programs).toEqual([]);
    expect((await ready(undefined, ["ext4", "xfs"])).programs).toEqual([]);
    expect((await ready({ type: "swap", usage: "other" }, [])).programs).toEqual([]);
    expect((await ready({ type: "swap", usage: "other" }, ["ext4"])).programs).toEqual([]);
  });
});
