/** A shell in the middle of the boot, and what happens to a machine without one that can't boot. */

import { expect, test } from "bun:test";
import {
  MACHINE_MS,
  ROOT_UUID,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  shellCommand,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

test(
  "rd.break stops before the hand-over with the root mounted, and goes on when the shell is left",
  async () => {
    const machine = await bootRdinit("break", {
      append: `root=UUID=${ROOT_UUID} rd.break`,
      disks: [{ file: await probeDisk(temporaryDirectory()) }],
      image: { shell: true },
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    expect(await shellCommand(machine, "ls /sysroot/sbin")).toContain("init");
    machine.console.send("exit\n");
    const listing = await probed(machine);
    expect(listing.get("processes.others")).toBe("0");
    expectSaid(machine, [
      "the boot is stopped before cleanup, as rd.break= asks. Leave the shell by `exit` to go on.",
      "the shell was left; the boot goes on.",
    ]);
  },
  TEST_MS,
);

test(
  "rd.emergency=poweroff ends a machine that can't boot",
  async () => {
    const machine = await bootRdinit("emergency-poweroff", {
      append: "root=LABEL=none rd.timeout=1 rd.shell=0 rd.emergency=poweroff",
    });
    await machine.expectEnd("powered off");
    expectSaid(machine, [
      "The root LABEL=none did not appear.",
      "Powering off in 5 s, as rd.emergency= asks.",
    ]);
  },
  TEST_MS,
);
