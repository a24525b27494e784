/** Debian with systemd on ext4, LUKS, LVM and RAID1: every unit comes up, every device is there for it, and it ends. */

import { expect, test } from "bun:test";
import { USERLAND } from "../../qemu/userlands/etc.ts";
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

/** The device units that are plugged, also under the names that are links. */
const DEVICES = "systemctl list-units --type=device --all --full --plain --no-legend --no-pager";

/** systemd escapes the dashes in a path. */
const unit = (path: string): string =>
  `${path.replaceAll("-", "\\x2d").replaceAll("/", "-").slice(1)}.device`;

test.skipIf(need !== undefined)(
  `systemd is running${need === undefined ? "" : ` (${need})`}`,
  async () => {
    // The other volumes are left to the system, which finds them when udevd has met the array.
    await using machine = await startUserland("systemd", `rd.lvm.lv=${USERLAND.group}/root`);
    await logIn(machine, "systemd");
    expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
    expect(await facts(machine)).toEqual({ init: "systemd", ...FACTS });

    expect(await command(machine, "systemctl --failed --no-legend --no-pager")).toBe("");
    expect(await command(machine, "systemctl list-jobs --no-pager")).toContain("No jobs");
    const lines = (await command(machine, DEVICES)).split("\n").map((line) => line.split(/\s+/));
    const plugged = lines.filter(([, ...state]) => state.slice(0, 3).join(" ") === "loaded active plugged");
    const wanted = [
      ...["/dev/md0", "/dev/md/0", `/dev/mapper/${USERLAND.mapping}`],
      ...Object.values(USERLAND.volumes).map((name) => `/dev/mapper/${name}`),
      ...[USERLAND.luks, USERLAND.filesystem, USERLAND.boot].map((uuid) => `/dev/disk/by-uuid/${uuid}`),
    ];
    expect(plugged.map(([name]) => name)).toEqual(expect.arrayContaining(wanted.map(unit)));
    // Nobody waits for a device that does not come.
    expect(lines.filter((line) => !plugged.includes(line) && line[2] === "activating")).toEqual([]);
    expect(await command(machine, "systemd-analyze")).toContain("Startup finished in");
    expect(await command(machine, "systemctl show -P Result systemd-fsck-root.service")).toBe("success");

    const { text, took_ms } = await powerOff(machine, "systemctl poweroff");
    // The devices below the root stay: to close them takes a program that is not on it.
    expect(text).toMatch(/EXT4-fs \(dm-\d\): re-mounted/);
    expect(text).toContain("All filesystems unmounted.");
    expect(text).toContain("All swaps deactivated.");
    expect(text).not.toMatch(/\[FAILED\]|\[ TIME \]|Failed to (un|re)mount/);
    expect(took_ms).toBeLessThan(150_000);
  },
  USERLAND_TEST_MS,
);
