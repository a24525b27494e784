/** Volume groups that are not for this machine: an exported one, and one of another system. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  said,
} from "../../qemu/scenario.ts";
import { STRANGE, strangeGroups } from "../../qemu/storage/lvm.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let strange: string[];
let initrd: string;

beforeAll(async () => {
  strange = await makeDisksInGuest(strangeGroups());
  initrd = await rdinitImage({ name: "lvm-groups", tools: ["lvm"] });
}, 2 * MACHINE_MS);

test(
  "as the root they are a sentence each",
  async () => {
    const machine = await bootRdinit("lvm-groups-root", {
      append: `root=/dev/${STRANGE.exported}/data rd.lvm.lv=${STRANGE.foreign}/data rd.timeout=3 rd.shell=0 panic=-1`,
      disks: strange.map((file) => ({ file })),
      initrd,
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "lvm did not activate moved/data: it ended with status 5; its last words: Volume group moved is exported",
      /^lvm did not activate theirs\/data: it ended with status 5; its last words: Cannot access VG theirs with system ID elsewhere/,
      `The root /dev/${STRANGE.exported}/data did not appear.`,
    ]);
  },
  TEST_MS,
);

test(
  "beside a root that comes late they are left alone without a warning",
  async () => {
    const machine = await bootRdinit("lvm-groups-beside", {
      append: `root=UUID=${ROOT_UUID} debug`,
      disks: strange.map((file) => ({ file })),
      hotplug: ["virtio-blk"],
      initrd,
    });
    await machine.console.expect(/lvm, which activates theirs\/data ended with status 5/, MACHINE_MS);
    await machine.plugDisk({ file: await probeDisk(dir) });
    await probed(machine);
    expect(said(machine).filter((words) => /^lvm: |not activate/.test(words))).toEqual([]);
  },
  TEST_MS,
);
