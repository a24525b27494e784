/** Arrays besides the root's, required or optional by a key of rdinit.ini, that can't be put together. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed } from "../../qemu/scenario.ts";
import { ARRAY_UUID, LEVEL_ARRAYS, arrayDisks, disksOf } from "../../qemu/storage/raid.ts";
import { STORAGE, raid1 } from "../../qemu/storage/basic.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const OTHER = `array ${ARRAY_UUID} (raid5, raid5)`;
const LACK = "it has 1 of 3 members (vdc), and needs at least 2 at this level";
let root: string[];
let other: string[];

beforeAll(async () => {
  const tree = await probeRoot();
  root = await makeDisksInGuest(raid1("1.2", tree));
  other = disksOf(
    LEVEL_ARRAYS,
    "raid5",
    await makeDisksInGuest(arrayDisks("raid-levels", LEVEL_ARRAYS, tree)),
  );
}, 3 * MACHINE_MS);

/** Boots with the root's array whole and one of three members of the other, under an image that has these keys. */
async function boot(name: string, keys: readonly string[], others: readonly string[]) {
  const config = join(dir, `${name}.ini`);
  const initrd = join(dir, name);
  const lines = ["[image]", "drivers = none", "tools = mdadm", "[boot]", ...keys, "rd.md.timeout = 2"];
  await Bun.write(config, `${lines.join("\n")}\n`);
  const program = join(PROJECT, "build/rdinit");
  await run([program, "image", "--config", config, "--init", program, "-o", initrd]);
  return bootRdinit(`raid-required-${name}`, {
    append: `root=UUID=${STORAGE.filesystem} rd.timeout=3 rd.shell=0 panic=-1`,
    disks: [...root, ...others].map((file) => ({ file })),
    initrd,
  });
}

test(
  "an optional array that lacks members is told, and the boot goes on",
  async () => {
    const keys = [`rd.md.uuid = ${STORAGE.array}`, `rd.md.optional = ${ARRAY_UUID}`];
    const machine = await boot("optional", keys, other.slice(0, 1));
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toMatch(/^\/dev\/md\d+$/);
    expect(listing.get("kernel.mdstat")).toContain("active (auto-read-only) raid1");
    expect(listing.get("kernel.mdstat")).not.toContain("vdc");
    expectSaid(machine, [
      `${OTHER} could not be started: ${LACK}. It is optional, and nothing waits for it.`,
    ]);
  },
  TEST_MS,
);

test(
  "a required one is waited for, and its lack ends the boot",
  async () => {
    const keys = [`rd.md.uuid[] = ${STORAGE.array}`, `rd.md.uuid[] = ${ARRAY_UUID}`];
    const machine = await boot("required", keys, other.slice(0, 1));
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      `${OTHER} could not be started: ${LACK}.`,
      new RegExp(`^The root is there, but not what else is required: array ${ARRAY_UUID}\\.`),
    ]);
  },
  TEST_MS,
);

test(
  "a required one that can do without a member is waited for too, and the boot goes on",
  async () => {
    const keys = [`rd.md.uuid[] = ${STORAGE.array}`, `rd.md.uuid[] = ${ARRAY_UUID}`];
    const machine = await boot("degraded", keys, other.slice(0, 2));
    const listing = await probed(machine);
    expect(listing.get("kernel.mdstat")).toContain("[3/2]");
    expectSaid(machine, [new RegExp("^array .* runs degraded, with 2 of 3 members \\(vdc and vdd\\)")]);
  },
  TEST_MS,
);
