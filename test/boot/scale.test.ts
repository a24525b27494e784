/** Hundreds of disks, and a storm of events: all is taken in, and nothing is lost, whatever time it takes. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT_UUID, bootRdinit, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { manyDisks } from "../../qemu/scale/disks.ts";
import { stormDisk, stormImage } from "../../qemu/scale/storm.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "rdinit-scale-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A quiet machine takes some twenty seconds. */
const LONG_MS = 400_000;

test(
  "512 disks and 10000 events: the root comes behind them all, and the boot needs no more memory than with few",
  async () => {
    await using machine = await bootRdinit("scale", {
      initrd: await stormImage("scale"),
      disks: [{ file: await probeDisk(dir) }, { file: stormDisk(dir) }],
      append: `root=UUID=${ROOT_UUID} storm.events=10000`,
      arguments: manyDisks(512),
      memory_mb: 512,
      timeout_ms: LONG_MS,
    });
    await machine.console.expect("storm: is over, events 10000", LONG_MS);
    const listing = await probed(machine, LONG_MS);
    expect(listing.get("mount./.type")).toBe("ext4");
    const spoken = said(machine);
    expect(spoken).toContain("mounted /dev/vda (ext4) as the root, read-only");
    expect(spoken.filter((words) => /error|can't|failed|unreadable/.test(words))).toEqual([]);
    // What it says while it waits fits a line.
    for (const words of spoken) expect(words.length).toBeLessThan(1500);
    expect(machine.console.text).not.toMatch(/Out of memory|oom-killer/);
  },
  LONG_MS + 30_000,
);

test(
  "more events than the kernel keeps: the loss is told once, and the root is found all the same",
  async () => {
    await using machine = await bootRdinit("scale-storm", {
      initrd: await stormImage("scale-storm"),
      disks: [{ file: await probeDisk(dir) }, { file: stormDisk(dir) }],
      append: `root=UUID=${ROOT_UUID} storm.events=100000`,
      timeout_ms: LONG_MS,
    });
    await machine.console.expect("storm: is over, events 100000", LONG_MS);
    await probed(machine, LONG_MS);
    const told = said(machine).filter((words) => words.startsWith("more device events came"));
    expect(told.length).toBeLessThanOrEqual(1);
  },
  LONG_MS + 30_000,
);
