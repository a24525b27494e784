/** Hooks of an image: their order, what each finds, what it says, and that none of it is left for the real init. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { compile } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { builtinKernel, stockKernel } from "../../qemu/kernel.ts";
import { type Listing, compare, describeDifferences, referenceListing } from "../../qemu/probe.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
  said,
  shellCommand,
} from "../../qemu/scenario.ts";
import type { ExtraFile } from "../../src/image/build.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const LINE = "root=/dev/vda debug rd.hook.timeout=2 LD_PRELOAD=/x HOSTILE=1";
let disk: string;
let direct: Listing;

beforeAll(async () => {
  disk = await probeDisk(dir);
  direct = await referenceListing({
    name: "hooks-direct",
    kernel: (await builtinKernel()).vmlinuz,
    append: LINE,
    disks: [{ file: disk }],
    timeout_ms: MACHINE_MS,
  });
}, TEST_MS);

/** A hook in busybox's shell; the image names no applet but sh (src/image/busybox.ts). */
function hook(path: string, script: string, mode = 0o755): ExtraFile {
  const text = `#!/bin/sh\nb=/bin/busybox\n${script}\n`;
  return { to: `/etc/rdinit.d/${path}`, data: Buffer.from(text), mode };
}

/** What the hooks said, "name: line", in the order it was said. */
function spoken(lines: readonly string[]): string[] {
  return lines.filter((line) => /^\d\d-[a-z]+: /.test(line));
}

test(
  "at every point, in their order",
  async () => {
    const native = await compile("hook", [join(import.meta.dir, "hook.c")]);
    const initrd = await rdinitImage({
      name: "hooks",
      shell: true,
      files: [
        hook(
          "cmdline/20-second",
          'echo "$RDINIT_POINT"; [ -d /sys/class ] && [ -e /dev/kmsg ] && echo ready',
        ),
        hook("cmdline/10-first", "echo one; echo two >&2; printf 'three\\033[2J'"),
        hook("pre-trigger/10-fails", "echo sorry; exit 3"),
        // It heeds no SIGTERM, and neither does the other one of its group.
        hook("pre-trigger/20-hangs", "trap '' TERM; echo hanging; $b sleep 1001 & $b sleep 1002"),
        hook("pre-trigger/30-after", 'echo "$($b ps | $b grep -c "[s]leep 100") of them are left"'),
        hook("pre-trigger/40-plain", "echo never", 0o644),
        { to: "/etc/rdinit.d/pre-trigger/50-bash", data: Buffer.from("#!/bin/bash\n"), mode: 0o755 },
        { to: "/etc/rdinit.d/pre-mount/10-native", from: native, mode: 0o755 },
        hook("mount/10-looks", '$b grep -c " $NEWROOT " /proc/mounts || :'),
        hook("pre-pivot/10-sees", '$b grep -o " $NEWROOT ext4 ro" /proc/mounts; $b ls $NEWROOT/sbin'),
        hook("cleanup/10-daemon", "($b sleep 1003 &); $b sleep 1004 & echo left"),
        hook("cleanup/20-last", 'echo "$($b grep -l "State:.Z" /proc/[0-9]*/status | $b wc -l) zombies"'),
        hook("emergency/10-never", "echo not in this boot"),
        hook("premount/10-lost", "echo never"),
      ],
    });
    const machine = await bootRdinit("hooks", { append: LINE, disks: [{ file: disk }], initrd });
    const through = await probed(machine);
    const lines = said(machine);
    expect(spoken(lines)).toEqual([
      "10-first: one",
      "10-first: two",
      "10-first: three\\x1b[2J",
      "20-second: cmdline",
      "20-second: ready",
      "10-fails: sorry",
      "20-hangs: hanging",
      "30-after: 0 of them are left",
      "10-native: called: 1 /etc/rdinit.d/pre-mount/10-native",
      "10-native: environment: HOME=/ NEWROOT=/sysroot PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin " +
        "RDINIT_POINT=pre-mount RDINIT_ROOT=/dev/vda TERM=linux",
      "10-native: descriptors: 0 1 2",
      "10-native: signals: 0 ignored, 0 blocked",
      "10-native: limit: 1024 4096",
      "10-native: leads: session yes, group yes",
      `10-native: device: /dev/vda is ${/vda is ([\d:]+)/.exec(lines.join("\n"))?.[1]}`,
      "10-native: root: /sysroot is not mounted",
      "10-looks: 0",
      "10-sees:  /sysroot ext4 ro",
      "10-sees: init",
      "10-daemon: left",
      "20-last: 0 zombies",
    ]);
    expectSaid(machine, [
      "/etc/rdinit.d/premount is no point of the boot, and nothing in it is run; pre-mount is one.",
      "the hook 10-fails (pre-trigger) ended with status 3; the boot goes on.",
      "waiting for the hook 20-hangs (pre-trigger) (giving up in 1 s)",
      "the hook 20-hangs (pre-trigger) is not done after 2 s and is told to end.",
      "the hook 20-hangs (pre-trigger) does not end and is killed.",
      "the hook 20-hangs (pre-trigger) took too long; the boot goes on.",
      "the hook 40-plain (pre-trigger) is not run: /etc/rdinit.d/pre-trigger/40-plain is not executable (mode 0644).",
      "the hook 50-bash (pre-trigger) is not run: /etc/rdinit.d/pre-trigger/50-bash needs /bin/bash, which does not exist.",
      // The daemon of the native hook, and both that the last point left.
      /^stopping \/bin\/busybox \(\d+\), \/bin\/busybox \(\d+\), \/etc\/rdinit.d\/pre-mount\/10-native \(\d+\)$/,
    ]);
    // Nothing of all this reaches the real init, and what the kernel gave it does.
    expect(describeDifferences(compare(direct, through, HANDOVER_RULES))).toBe("");
    expect(through.get("processes.others")).toBe("0");
    expect([2, 3].map((at) => through.get(`environ.${at}`))).toEqual(["LD_PRELOAD=/x", "HOSTILE=1"]);
  },
  TEST_MS,
);

test(
  "a hook mounts a root that is no block device; after a failure the boot comes to it again",
  async () => {
    const initrd = await rdinitImage({
      name: "hooks-mount",
      shell: true,
      files: [
        hook("cmdline/10-once", "echo here"),
        hook("emergency/10-helps", "echo helping; : >/run/helped"),
        hook(
          "mount/10-mounts",
          'echo "root is ${RDINIT_ROOT-no device}"; [ -e /run/helped ] || exit 1\n' +
            'until [ -b /dev/vda ]; do $b sleep 0.1; done; $b mount -t ext4 -o ro /dev/vda "$NEWROOT"',
        ),
      ],
    });
    const machine = await bootRdinit("hooks-mount", {
      append: "root=cluster:volume quiet",
      disks: [{ file: disk }],
      initrd,
    });
    await machine.console.expect("Starting a rescue shell.", MACHINE_MS);
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    // With quiet, what a hook says is in the kernel's log, and on the console when it fails.
    expect(await shellCommand(machine, "dmesg | grep -o 'rdinit: [0-9].*:.*'")).toBe(
      "rdinit: 10-once: here\nrdinit: 10-mounts: root is no device\n" +
        "rdinit: 10-mounts: root is no device\nrdinit: 10-helps: helping\n",
    );
    machine.console.send("exit\n");
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    expect(listing.get("processes.others")).toBe("0");
    expectSaid(machine, [
      "the hook 10-mounts (mount) ended with status 1; the boot goes on.",
      "No hook has mounted the root on /sysroot, and root= names no block device.",
    ]);
  },
  TEST_MS,
);

test(
  "the packed form runs them too, on the distribution's kernel: modules are there when a point says so",
  async () => {
    const kernel = await stockKernel();
    const machine = await bootRdinit("hooks-stock", {
      append: `root=UUID=${ROOT_UUID} rd.driver.pre=virtio_blk`,
      disks: [{ file: disk }],
      image: {
        kernel,
        shell: true,
        files: [
          hook("cmdline/10-early", "$b grep -c '^virtio_blk ' /proc/modules || :"),
          hook("pre-mount/10-device", '$b grep -c "^virtio_blk " /proc/modules; echo "$RDINIT_ROOT"'),
          hook("cleanup/10-settled", '$b grep -c " Loading " /proc/modules || :'),
        ],
      },
    });
    const listing = await probed(machine);
    expect(listing.get("processes.others")).toBe("0");
    expect(spoken(said(machine))).toEqual([
      "10-early: 0",
      "10-device: 1",
      "10-device: /dev/vda",
      "10-settled: 0",
    ]);
  },
  TEST_MS,
);
