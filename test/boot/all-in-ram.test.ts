/** A whole system in the initramfs: with no root= its init takes over in place, and nothing is moved or deleted. */

import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { PROJECT, run } from "../../qemu/host.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { type Rule, compare, describeDifferences, probeMachine, probeRoot } from "../../qemu/probe.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  TEST_MS,
  bootRdinit,
  expectSaid,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { type Tree, packInitramfs } from "../../qemu/tree.ts";
import { PASSWORD, READY, busyboxInitSystem, busyboxRunitSystem } from "../../qemu/userlands/busybox.ts";
import { busyboxNeed } from "../../qemu/userlands/busybox-build.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const WORDS = 'quiet single name=value odd="two words" -- last words';
const HANDED = "handing over to /sbin/init of the initramfs itself, as no root is named";

const need = await busyboxNeed();
if (need !== undefined) console.log(`skipped: ${need}`);

beforeAll(async () => {
  if (need !== undefined) return;
  // Compiled once, which may take its time.
}, 20 * MACHINE_MS);

/** What may differ besides when the init is in the initramfs. */
const IN_PLACE_RULES: readonly Rule[] = [
  { key: /^kernel\.cmdline$/, why: "one of them says rdinit=" },
  {
    key: /^dir\.\/dev\//,
    why: "devtmpfs is mounted already",
    allows: (direct) => direct === undefined,
  },
];

/** An initramfs that holds this system and rdinit as /init. */
async function inRam(name: string, system: Tree): Promise<string> {
  const to = join(dir, `${name}.cpio`);
  const init = { path: "/init", kind: "file", from: join(PROJECT, "build/rdinit"), mode: 0o755 } as const;
  await packInitramfs([...system, init], to);
  return to;
}

test.skipIf(need !== undefined)(
  "the init finds the machine as if the kernel had started it by rdinit=/sbin/init",
  async () => {
    const kernel = (await builtinKernel()).vmlinuz;
    const common = { kernel, initrd: await inRam("probe", await probeRoot()), timeout_ms: MACHINE_MS };
    const direct = await probeMachine({
      ...common,
      name: "all-in-ram-direct",
      append: `rdinit=/sbin/init ${WORDS}`,
    });
    const through = await probeMachine({ ...common, name: "all-in-ram-probe", append: WORDS });
    expect(describeDifferences(compare(direct, through, [...HANDOVER_RULES, ...IN_PLACE_RULES]))).toBe("");
  },
  2 * TEST_MS,
);

test.skipIf(need !== undefined)(
  "busybox init with runit: the tty service asks for a name and comes back, poweroff ends it all",
  async () => {
    const initrd = await inRam("runit", await busyboxRunitSystem());
    await using machine = await bootRdinit("all-in-ram-runit", { initrd });
    await machine.console.expect(`${READY} runit`, MACHINE_MS);
    expectSaid(machine, [HANDED]);
    for (let time = 0; time < 2; time++) {
      await machine.console.expect("userland login: ", MACHINE_MS);
      machine.console.send("root\n");
      await machine.console.expect("# ", MACHINE_MS);
      machine.console.send("id -un; sv status tty; test -x /init && grep -c rootfs /proc/mounts\n");
      await machine.console.expect(/root\nrun: tty: \(pid \d+\) \d+s\n1\n/, MACHINE_MS);
      await machine.console.expect("# ", MACHINE_MS);
      if (time === 0) machine.console.send("exit\n");
    }
    machine.console.send("poweroff\n");
    await machine.expectEnd("powered off");
  },
  TEST_MS,
);

test.skipIf(need !== undefined)(
  "busybox init with a login that asks for the password, put together of two archives",
  async () => {
    // The kernel unpacks one archive behind the other: the system's, and one of rdinit image.
    const initrd = join(dir, "both.img");
    const [own, image] = [join(dir, "system.cpio"), join(dir, "rdinit.img")];
    await packInitramfs(await busyboxInitSystem(), own);
    const options = ["-c", "/dev/null", "--drivers", "none", "--without-shell"];
    const rdinit = join(PROJECT, "build/rdinit");
    await run([rdinit, "image", "-o", image, ...options, "--init", rdinit]);
    await Bun.write(initrd, Buffer.concat([readFileSync(own), readFileSync(image)]));
    expect(await run([rdinit, "check", initrd, "--cmdline", "quiet"])).toEndWith(" would boot.\n");
    await using machine = await bootRdinit("all-in-ram-init", { initrd });
    await machine.console.expect(`${READY} init`, MACHINE_MS);
    await machine.console.expect("userland login: ", MACHINE_MS);
    machine.console.send("root\n");
    await machine.console.expect("Password: ", MACHINE_MS);
    machine.console.send(`${PASSWORD}\n`);
    await machine.console.expect("userland# ", MACHINE_MS);
    machine.console.send("poweroff\n");
    await machine.expectEnd("powered off");
  },
  TEST_MS,
);

test.skipIf(need !== undefined)(
  "a hook that mounts a root wins, and so does root=",
  async () => {
    const file = await probeDisk(dir);
    const hook = "#!/bin/busybox sh\nexec /bin/busybox mount -t ext4 -o ro /dev/vda $NEWROOT\n";
    const busybox = staticBusybox();
    const system: Tree = [
      { path: "/bin/busybox", kind: "file", from: busybox, mode: 0o755 },
      { path: "/sbin/init", kind: "link", target: "/bin/busybox" },
    ];
    const hooked = await inRam("hook", [
      ...system,
      { path: "/etc/rdinit.d/mount/10-mount", kind: "text", text: hook, mode: 0o755 },
    ]);
    for (const [name, initrd, append] of [
      ["hook", hooked, ""],
      ["root", await inRam("root", system), `root=UUID=${ROOT_UUID}`],
    ] as const) {
      const machine = await bootRdinit(`all-in-ram-${name}`, { initrd, append, disks: [{ file }] });
      const listing = await probed(machine);
      expect(listing.get("mount./.type")).toBe("ext4");
      expect(listing.get("mount./.parent")).toBe("outside");
    }
  },
  2 * TEST_MS,
);

test.skipIf(need !== undefined)(
  "without an init in the image the missing root= is told; a rescue shell's own /sbin/init is none",
  async () => {
    await using machine = await bootRdinit("all-in-ram-none", { image: { shell: true } });
    for (let time = 0; time < 2; time++) {
      await machine.console.expect("rdinit: The kernel command line names no root filesystem.", MACHINE_MS);
      await machine.console.expect("rdinit# ", MACHINE_MS);
      machine.console.send("test -e /sbin/init && exit\n");
    }
  },
  TEST_MS,
);
