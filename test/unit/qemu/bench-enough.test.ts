import { expect, test } from "bun:test";
import { FAILURE } from "../../../qemu/bench/enough.ts";
import { REAL_INIT } from "../../../qemu/bench/boot.ts";

const FAILED = [
  "[    3.486586] kworker/u2:1 invoked oom-killer: gfp_mask=0x140cc2(GFP_HIGHUSER|__GFP_COMP), order=0",
  "[    4.1] Out of memory: Killed process 201 (systemd-udevd) total-vm:11000kB",
  "[    4.2] Kernel panic - not syncing: System is deadlocked on memory",
  "[    3.0] Initramfs unpacking failed: write error",
  "[    5.0] rdinit: The rescue shell is forbidden by rd.shell=0.",
  "[   90.0] dracut-initqueue[250]: Warning: dracut-initqueue: timeout, still waiting for following scripts",
  "ALERT!  UUID=be9c4a5e-0000-4000-8000-0000000be9c4 does not exist.  Dropping to a shell!",
  "(initramfs) ",
  "Entering emergency mode. Exit the shell to continue.",
];

const WENT_WELL = [
  "[    0.000000] Memory: 100168K/228844K available (14343K kernel code, 2338K rwdata)",
  "[    0.000000] Kernel command line: console=ttyS0 root=UUID=be9c panic=-1 rd.shell=0 rd.emergency=reboot",
  "[    1.855102] Trying to unpack rootfs image as initramfs...",
  "[    2.1] rdinit: handing over to /sbin/init",
  "Begin: Running /scripts/init-bottom ... done.",
];

test("what a boot says that comes to nothing is known, whoever says it", () => {
  for (const line of FAILED) expect(line).toMatch(FAILURE);
});

test("a boot that goes well says none of it", () => {
  for (const line of WENT_WELL) expect(line).not.toMatch(FAILURE);
  expect("[    2.535016] benchmark: the real init runs").toMatch(REAL_INIT);
});
