/** Debian with OpenRC on ext4, LUKS, LVM and RAID1: it comes up, and ends with its filesystems clean. */

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
  `OpenRC starts every service, and stops it${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await using machine = await startUserland("openrc");
    await logIn(machine, "openrc");
    expect(await facts(machine)).toEqual({ init: "init", ...FACTS });
    expect(await command(machine, "rc-status --crashed --nocolor")).not.toContain("crashed");

    const { text, took_ms } = await powerOff(machine, "poweroff");
    expect(text).toMatch(/EXT4-fs \(dm-\d\): unmounting filesystem/);
    expect(text).toMatch(/EXT4-fs \(dm-\d\): re-mounted/);
    expect(text).not.toMatch(/fail|error|busy|timed out/i);
    expect(took_ms).toBeLessThan(150_000);
  },
  USERLAND_TEST_MS,
);
