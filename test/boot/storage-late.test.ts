/** Disks on a slow bus: none is there at the start, and each comes seconds later. */

import { expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, probed, said } from "../../qemu/scenario.ts";
import { STORAGE, raid1LvmLuks } from "../../qemu/storage/basic.ts";
import { MAKE_MS, QUESTION, answer } from "../fixtures/encrypted-boot.ts";

/** How late the first disk is, from the first word about it. */
const late_ms = 5000;

test(
  "ext4 on LUKS on LVM on RAID1, all disks plugged in five seconds late",
  async () => {
    const [first = "", second = ""] = await makeDisksInGuest(raid1LvmLuks(await probeRoot()));
    const machine = await bootRdinit("storage-late", {
      append: `root=UUID=${STORAGE.filesystem}`,
      hotplug: ["virtio-scsi", "virtio-blk"],
      initrd: await rdinitImage({ name: "storage-late", tools: ["mdadm", "lvm", "cryptsetup"] }),
    });
    await machine.console.expect(/; there is no block device yet \(giving up in \d+ s\)/, MACHINE_MS);
    // That nothing happens meanwhile is what is tested.
    await Bun.sleep(late_ms);
    expect(machine.console.text).not.toMatch(QUESTION);
    await machine.plugDisk({ file: first, interface: "virtio-scsi" });
    await machine.console.expect(
      /has 1 of 2 members \(sda\); it is started degraded in \d+ s\r?\n/,
      MACHINE_MS,
    );
    await machine.plugDisk({ file: second });
    await answer(machine, STORAGE.passphrase);
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe(`/dev/mapper/luks-${STORAGE.luks}`);
    expect(listing.get("kernel.mdstat")).toContain("[2/2] [UU]");
    const errors = said(machine).filter((words) =>
      /did not appear|could not|can't|degraded, with/.test(words),
    );
    expect(errors).toEqual([]);
  },
  MAKE_MS + TEST_MS,
);
