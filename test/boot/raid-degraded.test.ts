/** Arrays of md whose members are late, missing or stale. */

import { beforeAll, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { rdinitImage } from "../../qemu/images.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import {
  ARRAY_ROOT_UUID,
  ARRAY_UUID,
  LEVEL_ARRAYS,
  MIRROR_ARRAYS,
  arrayDisks,
  disksOf,
  staleMirror,
} from "../../qemu/storage/raid.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const ROOT = `root=UUID=${ARRAY_ROOT_UUID}`;
const MIRROR = `array ${ARRAY_UUID} (mirror-1.2, raid1)`;
const NUMBERED = "it is started degraded in \\d+ s";
let levels: string[];
let mirror: string[];
let stale: string[];
let initrd: string;

beforeAll(async () => {
  const tree = await probeRoot();
  levels = await makeDisksInGuest(arrayDisks("raid-levels", LEVEL_ARRAYS, tree));
  const mirrors = await makeDisksInGuest(arrayDisks("raid-mirrors", MIRROR_ARRAYS, tree));
  mirror = disksOf(MIRROR_ARRAYS, "mirror-1.2", mirrors);
  stale = await makeDisksInGuest(staleMirror(tree));
  initrd = await rdinitImage({ name: "raid-degraded", tools: ["mdadm"] });
}, 4 * MACHINE_MS);

async function boot(name: string, append: string, files: readonly string[]) {
  return bootRdinit(`raid-${name}`, {
    append: `${ROOT} ${append} panic=-1`,
    disks: files.map((file) => ({ file })),
    hotplug: ["virtio-blk"],
    initrd,
  });
}

function literal(words: string): string {
  return words.replace(/[.()[\]?]/g, "\\$&");
}

test(
  "a mirror without its second half: waited for as rd.md.timeout= says, then started, loudly",
  async () => {
    // The deadline of the root is shorter, and does not count while the array's own has not passed.
    const machine = await boot("degraded", "rw rd.md.timeout=3 rd.timeout=1", mirror.slice(0, 1));
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/md127");
    expect(listing.get("kernel.mdstat")).toContain("[2/1] [U_]");
    expectSaid(machine, [
      new RegExp(`${literal(`${MIRROR} has 1 of 2 members (vda)`)}; ${NUMBERED}`),
      `${MIRROR} runs degraded, with 1 of 2 members (vda): no other came within 3 s. Look for the missing disk and ` +
        "put it back by 'mdadm /dev/md/mirror-1.2 --re-add DISK', or a new one by '--add'. If the missing one was " +
        "used without these, what they hold is old.",
    ]);
  },
  TEST_MS,
);

for (const { name, level, present } of [
  { name: "raid5", level: 5, present: [0, 2] },
  { name: "raid6", level: 6, present: [1, 2] },
  { name: "raid10", level: 10, present: [0, 2] },
])
  test(
    `${name} with members ${present.join(" and ")} alone is started degraded`,
    async () => {
      const all = disksOf(LEVEL_ARRAYS, name, levels);
      const machine = await boot(
        `degraded-${name}`,
        "rd.md.timeout=2",
        present.map((at) => all[at] ?? ""),
      );
      const listing = await probed(machine);
      expect(listing.get("kernel.mdstat")).toContain(`raid${level}`);
      expect(listing.get("kernel.mdstat")).toContain(`[${all.length}/2]`);
      expectSaid(machine, [new RegExp(`runs degraded, with 2 of ${all.length} members \\(vda and vdb\\)`)]);
    },
    TEST_MS,
  );

test(
  "raid5 with two of three missing comes to a clear stop",
  async () => {
    const machine = await boot("too-few", "rd.md.timeout=2 rd.timeout=3", levelsOf("raid5").slice(0, 1));
    await machine.expectEnd("rebooted");
    const sentence =
      `array ${ARRAY_UUID} (raid5, raid5) could not be started: ` +
      "it has 1 of 3 members (vda), and needs at least 2 at this level.";
    expectSaid(machine, [sentence, new RegExp(literal(`The root UUID=${ARRAY_ROOT_UUID} did not appear`))]);
    expect(machine.console.text).not.toContain("running mdadm");
  },
  TEST_MS,
);

test(
  "a pair of raid10 that is missing as a whole: mdadm refuses, and is quoted",
  async () => {
    const machine = await boot("too-few-10", "rd.md.timeout=2 rd.timeout=3", levelsOf("raid10").slice(0, 2));
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /^array .* \(raid10, raid10\) could not be started: mdadm ended with status 1; .*Not enough devices/,
    ]);
  },
  TEST_MS,
);

test(
  "a member that is plugged in late is waited for, and the array is whole",
  async () => {
    const machine = await boot("late", "rw", mirror.slice(0, 1));
    await machine.console.expect(/1 of 2 members \(vda\); it is started degraded in 30 s/, MACHINE_MS);
    await machine.plugDisk({ file: mirror[1] ?? "" });
    const listing = await probed(machine);
    expect(listing.get("kernel.mdstat")).toContain("[2/2] [UU]");
    expectSaid(machine, [`${MIRROR} is started as /dev/md/mirror-1.2, of vda and vdb`]);
  },
  TEST_MS,
);

test(
  "a member that answers every read with an error is missing, and holds up nothing else",
  async () => {
    const file = join(temporaryDirectory(), "bad.img");
    copyFileSync(mirror[1] ?? "", file);
    const drive =
      `if=none,id=bad,format=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=${file},` +
      "file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.errno=5";
    const machine = await bootRdinit("raid-bad-disk", {
      append: `${ROOT} rw rd.md.timeout=2 panic=-1`,
      disks: mirror.slice(0, 1).map((one) => ({ file: one })),
      arguments: ["-drive", drive, "-device", "virtio-blk-pci,drive=bad"],
      initrd,
    });
    const listing = await probed(machine);
    expect(listing.get("kernel.mdstat")).toContain("[2/1] [U_]");
    expectSaid(machine, [/has 1 of 2 members \(vda\); it is started degraded .*, vdb 24 MiB \(unreadable\)/]);
  },
  TEST_MS,
);

test(
  "a stale half is left out beside the other, and nothing is waited for",
  async () => {
    const machine = await boot("stale", "rw", stale);
    const listing = await probed(machine);
    expect(listing.get("kernel.mdstat")).toContain("raid1 vda[0]");
    expect(listing.get("kernel.mdstat")).toContain("[2/1] [U_]");
    expect(said(machine).filter((words) => words.includes("started degraded"))).toEqual([]);
    expectSaid(machine, [
      `array ${ARRAY_UUID} (stale, raid1): it has gone on without vdb, and does again.`,
      /runs degraded, with 1 of 2 members \(vda\), as it did before\./,
    ]);
  },
  TEST_MS,
);

test(
  "a stale half alone is waited with, and the warning names what can't be known",
  async () => {
    const machine = await boot("stale-alone", "rd.md.timeout=2", stale.slice(1));
    const listing = await probed(machine);
    expect(listing.get("kernel.mdstat")).toContain("auto-read-only");
    expectSaid(machine, [/If the missing one was used without these, what they hold is old\.$/]);
  },
  TEST_MS,
);

function levelsOf(name: string): string[] {
  return disksOf(LEVEL_ARRAYS, name, levels);
}
