/** busybox init with an inittab as the real system on a disk: to its login, through it, and off again. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { MACHINE_MS, ROOT_UUID, TEST_MS, bootRdinit, expectSaid } from "../../qemu/scenario.ts";
import { PASSWORD, READY, busyboxInitSystem, filesystemState } from "../../qemu/userlands/busybox.ts";
import { busyboxNeed } from "../../qemu/userlands/busybox-build.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const file = join(temporaryDirectory(), "root.img");

const need = await busyboxNeed();
if (need !== undefined) console.log(`skipped: ${need}`);

beforeAll(async () => {
  if (need !== undefined) return;
  await makeDisk({ file, type: "ext4", tree: await busyboxInitSystem(), uuid: ROOT_UUID });
}, 20 * MACHINE_MS);

test.skipIf(need !== undefined)(
  "login refuses a wrong password, takes the right one, and the shell has a terminal with job control",
  async () => {
    await using machine = await bootRdinit("busybox-init", {
      append: `root=UUID=${ROOT_UUID}`,
      disks: [{ file, snapshot: false }],
    });
    await machine.console.expect(`${READY} init`, MACHINE_MS);
    await login(machine, "wrong");
    await machine.console.expect("Login incorrect", MACHINE_MS);
    await login(machine, PASSWORD);
    await machine.console.expect("userland# ", MACHINE_MS);
    machine.console.send("sh -c 'echo begun; sleep 1000'\n");
    await machine.console.expect("\nbegun\n", MACHINE_MS);
    machine.console.send("\x03");
    await machine.console.expect("userland# ", MACHINE_MS);
    machine.console.send("tty; touch /written && cut -d' ' -f1-3 /proc/mounts | grep ' / '\n");
    await machine.console.expect(/\/dev\/ttyS0\n\/dev\/vda \/ ext4\n/, MACHINE_MS);
    machine.console.send("poweroff\n");
    await machine.expectEnd("powered off");
    expectSaid(machine, ["handing over to /sbin/init"]);
    expect(machine.console.text).toContain("Requesting system poweroff");
    expect(await filesystemState(file)).toBe("clean");
  },
  TEST_MS,
);

async function login(machine: Awaited<ReturnType<typeof bootRdinit>>, password: string): Promise<void> {
  await machine.console.expect("userland login: ", MACHINE_MS);
  machine.console.send("root\n");
  await machine.console.expect("Password: ", MACHINE_MS);
  machine.console.send(`${password}\n`);
}
