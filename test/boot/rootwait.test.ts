/** Waiting for a root that comes late: in the open, by events, and with an end. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  TEST_MS,
  bootRdinit,
  kernelTime,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let initrd: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  initrd = await rdinitImage({ name: "rootwait" });
}, MACHINE_MS);

test(
  "rootwait says after a second what it waits for, and takes the disk when it is plugged in",
  async () => {
    const machine = await bootRdinit("rootwait-late", {
      append: `root=UUID=${ROOT_UUID} rootwait`,
      hotplug: ["virtio-blk"],
      initrd,
    });
    const waiting = `rdinit: waiting for the root UUID=${ROOT_UUID}; there is no block device yet\n`;
    await machine.console.expect(waiting, MACHINE_MS);
    await machine.plugDisk({ file: disk });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    // The word came a second after the wait began, and the wait began after /init was started.
    const { text } = machine.console;
    expect(kernelTime(text, "waiting for the root") - kernelTime(text, "Run /init")).toBeGreaterThanOrEqual(
      1,
    );
  },
  TEST_MS,
);

test(
  "with quiet it says so after three seconds, beside the disks that are not the root, and with the deadline",
  async () => {
    const file = await probeDisk(dir, { file: "other.img", uuid: "bbbb4d0e-0c5f-4a55-9d2e-51c7e0b7a003" });
    const machine = await bootRdinit("rootwait-quiet", {
      append: `root=UUID=${ROOT_UUID} quiet printk.time=1`,
      disks: [{ file }],
      hotplug: ["virtio-blk"],
      initrd,
    });
    const waiting = new RegExp(
      `rdinit: waiting for the root UUID=${ROOT_UUID}; there is vda 16 MiB ext4 ` +
        "UUID=bbbb4d0e-0c5f-4a55-9d2e-51c7e0b7a003 \\(giving up in 2[67] s\\)\n",
    );
    await machine.console.expect(waiting, MACHINE_MS);
    await machine.plugDisk({ file: disk });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vdb");
  },
  TEST_MS,
);

test(
  "rd.timeout=2 gives up after two seconds",
  async () => {
    const machine = await bootRdinit("rootwait-timeout", {
      append: `root=UUID=${ROOT_UUID} rd.timeout=2 panic=-1`,
      initrd,
    });
    const waiting = `rdinit: waiting for the root UUID=${ROOT_UUID}; there is no block device yet (giving up in 1 s)\n`;
    await machine.console.expect(waiting, MACHINE_MS);
    await machine.console.expect(`rdinit: The root UUID=${ROOT_UUID} did not appear.\n`, MACHINE_MS);
    await machine.expectEnd("rebooted");
    const { text } = machine.console;
    expect(kernelTime(text, "did not appear") - kernelTime(text, "waiting for the root")).toBeWithin(0.9, 3);
  },
  TEST_MS,
);
