/**
 * Debian with finit on ext4, LUKS, LVM and RAID1: it comes up, and ends with its filesystems clean. It checks and mounts
 * what fstab names before it starts udevd, so the names below /dev/mapper are still those of the boot.
 */

import { expect, test } from "bun:test";
import {
  FACTS,
  USERLAND_TEST_MS,
  command,
  facts,
  logIn,
  powerOff,
  startUserland,
} from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";

const need = await userlandsNeed();

test.skipIf(need !== undefined)(
  `finit finds its disks before udevd runs, and stops what it started${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await using machine = await startUserland("finit");
    await logIn(machine, "finit");
    // finit waits for no event of udevd before it starts the logins.
    expect(await command(machine, "udevadm settle")).toBe("");
    expect(await facts(machine)).toEqual({ init: "init", ...FACTS });
    expect(await command(machine, "readlink /proc/1/exe")).toBe("/usr/sbin/finit");
    expect(await command(machine, "/lib/finit/initctl -p status udevd")).toMatch(/Status : running/);

    const { text, took_ms } = await powerOff(machine, "poweroff");
    expect(text).toMatch(/EXT4-fs \(dm-\d\): unmounting filesystem/);
    expect(text).toMatch(/EXT4-fs \(dm-\d\): re-mounted/);
    // finit runs mdadm by no shell, which takes its ">/dev/null" for a second array. The kernel marks arrays clean itself.
    const words = text.replace(/(Marking MD array md0 as clean[^]*?)\[FAIL\]/, "$1");
    expect(words).not.toMatch(/fail|error|busy|timed out/i);
    expect(took_ms).toBeLessThan(150_000);
  },
  USERLAND_TEST_MS,
);
