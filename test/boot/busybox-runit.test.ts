/** busybox with runit's supervision as the real system on a disk: to its login, through it, and off again. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { MACHINE_MS, ROOT_UUID, TEST_MS, bootRdinit, expectSaid } from "../../qemu/scenario.ts";
import { READY, busyboxRunitSystem, filesystemState } from "../../qemu/userlands/busybox.ts";
import { busyboxNeed } from "../../qemu/userlands/busybox-build.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const file = join(temporaryDirectory(), "root.img");

const need = await busyboxNeed();
if (need !== undefined) console.log(`skipped: ${need}`);

beforeAll(async () => {
  if (need !== undefined) return;
  await makeDisk({ file, type: "ext4", tree: await busyboxRunitSystem(), uuid: ROOT_UUID });
}, 20 * MACHINE_MS);

test.skipIf(need !== undefined)(
  "the tty service asks for a name and comes back when it has ended, and poweroff leaves the disk clean",
  async () => {
    await using machine = await bootRdinit("busybox-runit", {
      append: `root=UUID=${ROOT_UUID}`,
      disks: [{ file, snapshot: false }],
    });
    await machine.console.expect(`${READY} runit`, MACHINE_MS);
    for (let time = 0; time < 2; time++) {
      await machine.console.expect("userland login: ", MACHINE_MS);
      machine.console.send("root\n");
      await machine.console.expect("# ", MACHINE_MS);
      machine.console.send("sv status tty; cut -d' ' -f1-3 /proc/mounts | grep ' / '; pidof runsvdir init\n");
      await machine.console.expect(/run: tty: \(pid \d+\) \d+s\n\/dev\/vda \/ ext4\n[\d ]* 1\n/, MACHINE_MS);
      await machine.console.expect("# ", MACHINE_MS);
      if (time === 0) machine.console.send("exit\n");
    }
    machine.console.send("poweroff\n");
    await machine.expectEnd("powered off");
    expectSaid(machine, ["handing over to /sbin/init"]);
    expect(machine.console.text).toContain("Requesting system poweroff");
    expect(await filesystemState(file)).toBe("clean");
  },
  TEST_MS,
);
