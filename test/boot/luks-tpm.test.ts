/** Encrypted roots whose key is in a TPM: opened by it without a question, and by the passphrase when it can't be. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { MACHINE_DRIVERS } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { type Machine, type MachineOptions, startMachine } from "../../qemu/machine.ts";
import { buildProbe } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, expectSaid, probed } from "../../qemu/scenario.ts";
import { otherTpm, tpmDisk } from "../../qemu/storage/tpm.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { LOOK, MAKE_MS, QUESTION, answer, lookedAt } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory, temporaryTree } from "../fixtures/temporary.ts";

const VOLUME = `vda (luks-${STORAGE.luks})`;
const NOT_OPENED = `${VOLUME} is not opened by its token (systemd-tpm2): `;

let kernel: Kernel;
let probe: string;
const dir = temporaryDirectory();
const initrd = join(dir, "image");

/** Takes the chip from its driver, and gives it back when a second disk is plugged in: a driver that comes late. */
const LATE = `#!/bin/sh -e
case $(/bin/busybox cat /proc/cmdline) in *late-tpm*) ;; *) exit 0;; esac
cd /sys/bus/platform/drivers/tpm_tis
for chip in MSFT0101*; do echo $chip >unbind; done
[ -e /dev/tpmrm0 ] && exit 1
(until [ -b /dev/vdb ]; do /bin/busybox sleep 0.1; done; echo $chip >bind) >/dev/null 2>&1 &
`;

beforeAll(async () => {
  kernel = await stockKernel();
  probe = await buildProbe();
  const hooks = temporaryTree({ "cleanup/10-look": LOOK.data ?? "", "cmdline/10-late": LATE });
  await run([
    ...[join(PROJECT, "build/rdinit"), "image", "-o", initrd, "-k", kernel.version],
    ...["--modules", kernel.modules, "--drivers", MACHINE_DRIVERS.join(" "), "--tools", "cryptsetup"],
    ...["--include", `${hooks}:/etc/rdinit.d`],
  ]);
}, TEST_MS);

async function boot(name: string, options: Partial<MachineOptions>): Promise<Machine> {
  return startMachine({
    ...{ name: `luks-tpm-${name}`, kernel: kernel.vmlinuz, initrd, timeout_ms: MACHINE_MS },
    ...options,
    append: `root=UUID=${STORAGE.filesystem} rd.luks.uuid=${STORAGE.luks} ${options.append ?? ""}`,
  });
}

test(
  "the TPM opens the volume, and nobody is asked",
  async () => {
    const { disk, state } = await tpmDisk(probe, dir);
    const machine = await boot("opened", { disks: [{ file: disk }], tpm: state });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe(`/dev/mapper/luks-${STORAGE.luks}`);
    expect(listing.get("processes.others")).toBe("0");
    expect(machine.console.text).not.toMatch(QUESTION);
    expect(lookedAt(machine)).toContain("10-look: left: 0");
  },
  MAKE_MS,
);

test(
  "a TPM whose driver comes late is waited for",
  async () => {
    const { disk, state } = await tpmDisk(probe, dir);
    const machine = await boot("late", {
      disks: [{ file: disk }],
      hotplug: ["virtio-blk"],
      tpm: state,
      append: "late-tpm",
    });
    await machine.console.expect(`; ${VOLUME} needs a TPM`, MACHINE_MS);
    const empty = join(dir, "empty.img");
    await Bun.write(empty, new Uint8Array(1 << 20));
    await machine.plugDisk({ file: empty });
    await probed(machine);
    expect(machine.console.text).not.toMatch(QUESTION);
  },
  MAKE_MS,
);

test(
  "another TPM than the one that has the key: the passphrase is asked for",
  async () => {
    const { disk } = await tpmDisk(probe, dir);
    const machine = await boot("other", { disks: [{ file: disk }], tpm: otherTpm(dir) });
    expect(await answer(machine, STORAGE.passphrase)).toBe(VOLUME);
    await probed(machine);
    expectSaid(machine, [
      `${NOT_OPENED}cryptsetup said: Failed to load HMAC key in TPM: tpm:parameter(1):integrity check failed. ` +
        "The TPM is another, or what it measures at a boot has changed: 'systemd-cryptenroll --wipe-slot=tpm2 " +
        "--tpm2-device=auto' with the device of the volume makes a new token.",
    ]);
  },
  MAKE_MS,
);

test(
  "a machine without a TPM asks at once, and one that was told of a TPM waits for it",
  async () => {
    const { disk } = await tpmDisk(probe, dir);
    const without = await boot("none", { disks: [{ file: disk }] });
    await answer(without, STORAGE.passphrase);
    await probed(without);
    expectSaid(without, [`${NOT_OPENED}this machine has no TPM.`]);

    const told = await boot("told", {
      disks: [{ file: disk }],
      append: "rd.luks.options=tpm2-device=auto,token-timeout=2",
    });
    await answer(told, STORAGE.passphrase);
    await probed(told);
    expectSaid(told, [`${NOT_OPENED}no TPM appeared within 2 s.`]);
  },
  2 * TEST_MS,
);
