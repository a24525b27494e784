/** Debian with runit on ext4, LUKS, LVM and RAID1: it comes up, and ends with its filesystems clean. */

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
  `runit reaches its second stage, and leaves by the third${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await using machine = await startUserland("runit");
    await logIn(machine, "runit");
    expect(await facts(machine)).toEqual({ init: "runit", ...FACTS });
    expect(await command(machine, "sv status getty-ttyS0")).toStartWith("run: getty-ttyS0");

    const { text, took_ms } = await powerOff(machine, "poweroff");
    expect(text).toMatch(/EXT4-fs \(dm-\d\): unmounting filesystem/);
    expect(text).toMatch(/EXT4-fs \(dm-\d\): re-mounted/);
    // initscripts call it a failure that udevd lives on until they end it, and their ps meets a closed pipe.
    expect(text).not.toMatch(/(?:EXT4-fs|I\/O) error|busy|timed out/i);
    expect(took_ms).toBeLessThan(150_000);
  },
  USERLAND_TEST_MS,
);
