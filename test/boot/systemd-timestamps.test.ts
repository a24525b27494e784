/** systemd is told when the early userspace began: systemd-analyze shows its share, and nothing else is different. */

import { expect, test } from "bun:test";
import { kernelTime } from "../../qemu/scenario.ts";
import { USERLAND_TEST_MS, command, logIn, startUserland } from "../../qemu/userlands/session.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";

const need = await userlandsNeed();

const BEGINNING = "systemctl show --value --property=InitRDTimestampMonotonic";

test.skipIf(need !== undefined)(
  `systemd-analyze shows the early userspace${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await using machine = await startUserland("systemd");
    await logIn(machine, "systemd");
    expect(await command(machine, "systemctl is-system-running --wait")).toBe("running");
    expect(await command(machine, "systemd-analyze time")).toMatch(
      /^Startup finished in .*s \(kernel\) \+ .*s \(initrd\) \+ .*s \(userspace\) = /,
    );
    const began_s = Number(await command(machine, BEGINNING)) / 1e6;
    const ended_s = Number(await command(machine, BEGINNING.replace("InitRD", "Userspace"))) / 1e6;
    // The clock of the log runs beside that of the machine, and further off on a busy host.
    expect(began_s).toBeGreaterThan(kernelTime(machine.console.text, "Run /init as init process") - 1.5);
    expect(ended_s).toBeGreaterThan(kernelTime(machine.console.text, "rdinit: handing over to") - 1.5);

    // It read the file and let go of it, and did what belongs to a first start.
    expect(await command(machine, "ls -l /proc/1/fd | grep -c systemd-state")).toBe("0");
    expect(await command(machine, "systemctl is-active default.target sysinit.target")).toBe(
      "active\nactive",
    );
  },
  USERLAND_TEST_MS,
);
