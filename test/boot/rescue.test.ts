/** The rescue shell: entered, usable like any terminal, left, and nothing of it seen by the real init. */

import { beforeAll, expect, test } from "bun:test";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { type Listing, compare, describeDifferences, referenceListing } from "../../qemu/probe.ts";
import {
  MACHINE_MS,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  probeDisk,
  probed,
  shellCommand,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let initrd: string;
let direct: Listing;

beforeAll(async () => {
  disk = await probeDisk(dir);
  initrd = await rdinitImage({ name: "rescue", shell: true });
  direct = await referenceListing({
    name: "rescue-direct",
    kernel: (await builtinKernel()).vmlinuz,
    append: "root=/dev/vda quiet",
    disks: [{ file: disk }],
    timeout_ms: MACHINE_MS,
  });
}, TEST_MS);

/** Differences that the words on the command line make. */
const WORDS = [{ key: /^kernel\.cmdline$/, why: "it names another root" }];

test(
  "has job control, shows what commands print, and the root may be mounted by hand",
  async () => {
    const machine = await bootRdinit("rescue-mount", {
      append: "quiet",
      disks: [{ file: disk }],
      initrd,
    });
    await machine.console.expect(
      "Starting a rescue shell. Leave it by `exit` to try the boot again.",
      MACHINE_MS,
    );
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    expect(await shellCommand(machine, "echo $((6 * 7)); tty; id -u; set -o | grep monitor")).toMatch(
      /^42\n\/dev\/ttyS0\n0\nmonitor\s+on\n$/,
    );
    // The shell leads its own session, and the terminal is the session's.
    await shellCommand(machine, "read -r me _ _ _ pgrp session tty _ </proc/self/stat");
    expect(await shellCommand(machine, "echo $((me == $$ && pgrp == $$ && session == $$ && tty != 0))")).toBe(
      "1\n",
    );
    // Ctrl-C ends the command and not the shell.
    machine.console.send("sh -c 'echo begun; exec sleep 1000'\n");
    await machine.console.expect("\nbegun\n", MACHINE_MS);
    machine.console.send("\x03");
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    expect(await shellCommand(machine, "echo $?")).toBe("130\n");
    await shellCommand(machine, "mount -t ext4 -o ro /dev/vda /sysroot");
    expect(await shellCommand(machine, "ls /sysroot/sbin")).toBe("init\n");
    // A terminal in raw mode is put in order for the init.
    machine.console.send("stty raw -echo; exit\n");
    await machine.console.expect("rdinit: the rescue shell was left; trying again.", MACHINE_MS);
    await machine.console.expect("rdinit: /sysroot is mounted already and is taken as the root.", MACHINE_MS);
    const through = await probed(machine);
    expect(describeDifferences(compare(direct, through, [...HANDOVER_RULES, ...WORDS]))).toBe("");
  },
  TEST_MS,
);

test(
  "left when the disk has been plugged in, the boot goes on",
  async () => {
    const machine = await bootRdinit("rescue-plug", {
      append: "root=/dev/vda quiet rd.timeout=1",
      hotplug: ["virtio-blk"],
      initrd,
    });
    await machine.console.expect("rdinit: The root /dev/vda did not appear.", MACHINE_MS);
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    // Left without a cause, the boot fails again and the shell is back.
    machine.console.send("exit\n");
    await machine.console.expect("rdinit: The root /dev/vda did not appear.", MACHINE_MS);
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    await machine.plugDisk({ file: disk });
    const untilThere = "until grep vda /proc/partitions; do sleep 0.1; done";
    expect(await shellCommand(machine, untilThere)).toContain("vda");
    machine.console.send("exit\n");
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    expect(listing.get("processes.others")).toBe("0");
    expect(machine.console.text).not.toContain("could not be started");
  },
  TEST_MS,
);
