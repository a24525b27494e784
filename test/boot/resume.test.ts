/** Hibernated systems: one that sleeps and wakes for real, and what is said when there is none, or no way to wake it. */

import { beforeAll, expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Disk } from "../../qemu/devices.ts";
import { makeDisk } from "../../qemu/disks.ts";
import { run } from "../../qemu/host.ts";
import { rdinitImage, staticBusybox } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { luksSwap } from "../../qemu/storage/more.ts";
import { ROOT_FOLDERS } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const SWAP_UUID = "55554d0e-0c5f-4a55-9d2e-51c7e0b7a005";
let kernel: Kernel;
let initrd: string;
let root: string;
let swap: string;

beforeAll(async () => {
  kernel = await stockKernel();
  initrd = await rdinitImage({ name: "resume", kernel });
  root = await probeDisk(dir);
  swap = await makeSwap("swap.img", 8);
}, MACHINE_MS);

async function makeSwap(name: string, size_mb: number): Promise<string> {
  const file = join(dir, name);
  writeFileSync(file, "");
  truncateSync(file, size_mb << 20);
  await run(["mkswap", "-q", "-U", SWAP_UUID, file]);
  return file;
}

function boot(name: string, append: string, disks: readonly Disk[]) {
  return bootRdinit(name, { kernel: kernel.vmlinuz, append, disks, initrd, timeout_ms: 150_000 });
}

/** The real system: it keeps a secret in its memory, sleeps, and tells it when it is woken. */
const sleeper = (device: string): string =>
  [
    "#!/bin/sh",
    "mount -t proc proc /proc 2>/dev/null",
    "mount -t sysfs sysfs /sys 2>/dev/null",
    `swapon ${device}`,
    "secret=$(cat /proc/sys/kernel/random/uuid)",
    'echo "SLEEPER goes to sleep: $secret"',
    "echo shutdown >/sys/power/disk",
    "echo disk >/sys/power/state",
    'echo "SLEEPER woke: $secret"',
    "poweroff -f",
    "",
  ].join("\n");

async function sleeperDisk(name: string, device: string): Promise<string> {
  const file = join(dir, name);
  const applets = ["sh", "mount", "swapon", "cat", "poweroff"];
  await makeDisk({
    file,
    type: "ext4",
    size_mb: 16,
    tree: [
      ...ROOT_FOLDERS,
      { path: "/sbin/init", kind: "text", text: sleeper(device), mode: 0o755 },
      { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
      ...applets.map((applet) => ({ path: `/bin/${applet}`, kind: "link", target: "busybox" }) as const),
    ],
  });
  return file;
}

test(
  "a system that hibernated wakes where it went to sleep, its root never mounted by us",
  async () => {
    const file = await sleeperDisk("sleeper.img", "/dev/vdb");
    const disks = [
      { file, snapshot: false },
      { file: await makeSwap("sleeping.img", 512), snapshot: false },
    ];
    const line = `root=/dev/vda rw resume=UUID=${SWAP_UUID}`;
    const first = await boot("resume-sleep", line, disks);
    const [, secret = ""] = await first.console.expect(/SLEEPER goes to sleep: (\S+)\n/, MACHINE_MS);
    await first.expectEnd("powered off");
    expect(secret).toMatch(/^[0-9a-f-]{36}$/);
    expectSaid(first, ["/dev/vdb holds no hibernated system."]);
    expect(await run(["blkid", "-p", "-o", "value", "-s", "TYPE", disks[1]?.file ?? ""])).toBe("swsuspend\n");

    const second = await boot("resume-wake", line, disks);
    await second.console.expect(`SLEEPER woke: ${secret}`, MACHINE_MS * 2);
    await second.expectEnd("powered off");
    expectSaid(second, ["waking the hibernated system on /dev/vdb"]);
    expect(said(second).filter((words) => words.startsWith("mounted"))).toEqual([]);
  },
  TEST_MS * 4,
);

test(
  "the same with its swap encrypted",
  async () => {
    const [made = ""] = await makeDisksInGuest(luksSwap(SWAP_UUID));
    const encrypted = join(dir, "encrypted.img");
    await run(["cp", "--sparse=always", made, encrypted]);
    const name = `luks-${STORAGE.luks}`;
    const disks = [
      { file: await sleeperDisk("encrypted-sleeper.img", `/dev/mapper/${name}`), snapshot: false },
      { file: encrypted, snapshot: false },
    ];
    const image = await rdinitImage({ name: "resume-luks", kernel, tools: ["cryptsetup"] });
    const start = async (log: string) => {
      const append = `root=/dev/vda rw resume=UUID=${SWAP_UUID} rd.luks.uuid=${STORAGE.luks}`;
      const options = { append, disks, initrd: image, timeout_ms: 150_000 };
      const machine = await bootRdinit(log, { kernel: kernel.vmlinuz, ...options });
      await machine.console.expect(/Passphrase for .*: /, MACHINE_MS);
      machine.console.send(`${STORAGE.passphrase}\n`);
      return machine;
    };
    const first = await start("resume-luks-sleep");
    const [, secret = ""] = await first.console.expect(/SLEEPER goes to sleep: (\S+)\n/, MACHINE_MS);
    await first.expectEnd("powered off");
    const second = await start("resume-luks-wake");
    await second.console.expect(`SLEEPER woke: ${secret}`, MACHINE_MS * 2);
    await second.expectEnd("powered off");
    expect(said(second).filter((words) => words.startsWith("mounted"))).toEqual([]);
  },
  TEST_MS * 4,
);

test(
  "an image that the kernel does not take costs the boot nothing, and is told",
  async () => {
    const file = join(dir, "broken.img");
    await run(["cp", swap, file]);
    const signature = ["dd", "of=" + file, "bs=1", "seek=4086", "conv=notrunc", "status=none"];
    await run(signature, { stdin: "S1SUSPEND\0" });
    const machine = await boot("resume-broken", "root=/dev/vda resume=/dev/vdb", [{ file: root }, { file }]);
    await probed(machine);
    expectSaid(machine, [
      "waking the hibernated system on /dev/vdb",
      /^the (kernel found no hibernated system|system) on \/dev\/vdb (that it could wake;|can't be woken: .*\.) [sS]tarting afresh\.$/,
    ]);
  },
  TEST_MS,
);

test(
  "a swap that does not appear, and noresume",
  async () => {
    const missing = `root=/dev/vda resume=UUID=${SWAP_UUID} rd.timeout=2`;
    const without = await boot("resume-missing", missing, [{ file: root }]);
    await probed(without);
    expectSaid(without, [
      new RegExp(`^waiting for UUID=${SWAP_UUID}, which may hold a hibernated system; `),
      `UUID=${SWAP_UUID} of resume= did not appear; starting afresh.`,
    ]);
    const unasked = await boot("resume-no", `${missing} noresume`, [{ file: root }]);
    await probed(unasked);
    expect(said(unasked).filter((words) => words.includes("hibernated"))).toEqual([]);
  },
  TEST_MS,
);

test(
  "a kernel that can't hibernate",
  async () => {
    const machine = await bootRdinit("resume-never", {
      append: "root=/dev/vda resume=/dev/vdb",
      disks: [{ file: root }, { file: swap }],
    });
    await probed(machine);
    expectSaid(machine, ["resume= is of no use: this kernel can't hibernate (it lacks CONFIG_HIBERNATION)."]);
  },
  TEST_MS,
);
