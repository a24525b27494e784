/** What the early userspace leaves behind must not reach the real init: processes of every kind, and mounts. */

import { beforeAll, expect, test } from "bun:test";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { type Listing, type Rule, compare, describeDifferences, referenceListing } from "../../qemu/probe.ts";
import {
  MACHINE_MS,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  shellCommand,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let direct: Listing;

beforeAll(async () => {
  disk = await probeDisk(dir);
  direct = await referenceListing({
    name: "strays-direct",
    kernel: (await builtinKernel()).vmlinuz,
    append: "root=/dev/vda debug",
    disks: [{ file: disk }],
    timeout_ms: MACHINE_MS,
  });
}, TEST_MS);

/** Typed in the rescue shell, a line each. */
const left: readonly string[] = [
  // A child of the shell, a daemon that was forked twice, and one that is stopped.
  "sleep 1001 &",
  "(setsid sleep 1002 &)",
  "(sh -c 'kill -STOP $$; :' &)",
  // One that heeds no SIGTERM, and one that never asks for its dead child.
  "(trap '' TERM; exec sleep 1004) &",
  "sh -c 'true & exec sleep 1005' &",
  "until grep -q 'State:.Z' /proc/[0-9]*/status; do :; done",
  // One that serves the root: its argv[0] begins with @, and busybox goes by the name behind the slash.
  "(exec -a @/busybox /bin/busybox sleep 1006) &",
  "mkdir /mnt /dev/left && mount -t tmpfs left /mnt",
  "mount -t devpts left /dev/left",
  "mkdir /mnt/deep && mount -t tmpfs left /mnt/deep && cd /mnt/deep",
  "echo 1 >/run/left",
  "umask 077",
  "mount -t ext4 -o ro /dev/vda /sysroot",
];

const allowed: readonly Rule[] = [
  { key: /^kernel\.cmdline$/, why: "it names another root" },
  { key: /^process(es)?\./, why: "looked at below" },
  { key: /^dir\.\/(dev|run)\/left$/, why: "made by hand where it stays" },
];

test(
  "all of it is gone but for the process that serves the root",
  async () => {
    const machine = await bootRdinit("strays", {
      append: "debug",
      disks: [{ file: disk }],
      image: { shell: true },
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    for (const line of left) await shellCommand(machine, line);
    expect(await shellCommand(machine, "ps | grep -c ' [1]00[0-9]$'")).toBe("5\n");
    machine.console.send("exit\n");
    const through = await probed(machine);
    expect(describeDifferences(compare(direct, through, [...HANDOVER_RULES, ...allowed]))).toBe("");
    const others = [...through].filter(([key]) => /^process\.\d+\.cmdline$/.test(key));
    expect(others.map(([, words]) => words)).toEqual(["@/busybox\0sleep\x001006\0"]);
    expect(through.get("processes.others")).toBe("1");
    expectSaid(machine, [
      /^stopping sleep \(\d+\), sleep \(\d+\), sh \(\d+\), sleep \(\d+\), sleep \(\d+\)$/,
    ]);
  },
  TEST_MS,
);

/** Those that ask for more than one signal, or that look like what is spared. */
const stubborn: readonly string[] = [
  // One that leaves another behind when it is asked to end, and one that does so again and again.
  `(sh -c "trap 'sleep 1011 & exit' TERM; while :; do sleep 1; done" &)`,
  `(sh -c "trap 'sleep 1012 &' TERM; while :; do sleep 1; done" &)`,
  // In a namespace where it is process 1 itself, so that it must not heed the signal.
  `(unshare -pmf sh -c "trap : TERM; while :; do sleep 1; done" &)`,
  // Named so by its file alone, which anyone can do.
  "cp /bin/busybox /@busybox",
  "(exec -a sleep /@busybox 1014 &)",
  // Stopped, and deaf.
  `(sh -c 'trap "" TERM; kill -STOP $$; sleep 1015' &)`,
  // It holds the console open.
  "(sleep 1016 <>/dev/console >&0 2>&0 &)",
  "mount -t ext4 -o ro /dev/vda /sysroot",
];

test(
  "what comes back, hides or stands still is gone too",
  async () => {
    const machine = await bootRdinit("strays-stubborn", {
      append: "debug",
      disks: [{ file: disk }],
      image: { shell: true },
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    for (const line of stubborn) await shellCommand(machine, line);
    expect(await shellCommand(machine, "grep -l '^@' /proc/[0-9]*/comm | wc -l")).toBe("1\n");
    machine.console.send("exit\n");
    const through = await probed(machine);
    expect(describeDifferences(compare(direct, through, [...HANDOVER_RULES, ...allowed]))).toBe("");
    expect(through.get("processes.others")).toBe("0");
    expect(machine.console.text).not.toContain("does not end");
  },
  TEST_MS,
);
