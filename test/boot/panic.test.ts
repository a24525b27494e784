/** What `panic=` and rd.shell=0 ask for when the boot has failed: reboot in time, or wait for a device and go on. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import {
  MACHINE_MS,
  TEST_MS,
  bootRdinit,
  expectSaid,
  kernelTime,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let initrd: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  initrd = await rdinitImage({ name: "panic", shell: true });
}, MACHINE_MS);

test(
  "panic=1 reboots a second after the report, and no shell is started before",
  async () => {
    const machine = await bootRdinit("panic-1", { append: "rd.shell=0 panic=1", initrd });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "The rescue shell is forbidden by rd.shell=0.",
      "Rebooting in 1 s, as panic= asks.",
    ]);
    const saidAt_s = kernelTime(machine.console.text, "Rebooting in 1 s");
    const doneAt_s = kernelTime(machine.console.text, "reboot: Restarting system");
    expect(doneAt_s - saidAt_s).toBeWithin(0.99, 3);
  },
  TEST_MS,
);

test(
  "rd.shell=0 without panic= waits, and goes on when the disk is plugged in",
  async () => {
    const machine = await bootRdinit("panic-none", {
      append: "root=/dev/vda rd.timeout=1 rd.shell=0",
      hotplug: ["virtio-blk"],
      initrd,
    });
    await machine.console.expect("The root /dev/vda did not appear.", MACHINE_MS);
    await machine.console.expect(
      "Waiting: when a device appears, the boot is tried again. (panic=SECONDS would reboot instead.)",
      MACHINE_MS,
    );
    await machine.plugDisk({ file: disk });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    expectSaid(machine, ["The rescue shell is forbidden by rd.shell=0."]);
  },
  TEST_MS,
);
