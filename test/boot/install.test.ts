/** `rdinit install`: the kernel starts rdinit from a boot partition, without any initramfs; and the rescue environment there. */

import { beforeAll, expect, test } from "bun:test";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { PROJECT, run } from "../../qemu/host.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { type Machine, startMachine } from "../../qemu/machine.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { type Rule, compare, describeDifferences, probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, ROOT_UUID, TEST_MS, expectSaid, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { STORAGE, plainLuks } from "../../qemu/storage/basic.ts";
import { LVM, lvmDisks } from "../../qemu/storage/lvm.ts";
import type { Tree } from "../../qemu/tree.ts";
import { MAKE_MS, answer } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const RDINIT = join(PROJECT, "build/rdinit");
const dir = temporaryDirectory();
const boot = join(dir, "boot.img");
let probe: string;

beforeAll(async () => {
  const partition = join(dir, "partition");
  const config = join(dir, "rdinit.ini");
  await Bun.write(config, `[boot]\nroot = UUID=${LVM.filesystem}\nrd.lvm.lv = vg-a/lv-b\n`);
  // The kernel of the test has all drivers, and no userfaultfd(2), so that the plain form of /init is the quick one.
  const options = ["--config", config, "--drivers", "none", "--tools", "lvm cryptsetup", "--init", RDINIT];
  await run([RDINIT, "install", partition, ...options]);
  await Bun.write(join(partition, "vmlinuz"), "somebody else's");
  await makeDisk({
    file: boot,
    type: "ext4",
    size_mb: 256,
    tree: treeOf(partition),
    partition: { table: "dos", disk_id: "deadbeef" },
  });
  probe = await probeDisk(dir);
}, 3 * MACHINE_MS);

/** What lies in a directory, but device nodes: the kernel of the tests mounts /dev by itself. */
function treeOf(directory: string, path = ""): Tree {
  return readdirSync(join(directory, path)).flatMap((name): Tree => {
    const own = `${path}/${name}`;
    const stats = lstatSync(join(directory, own));
    const mode = stats.mode & 0o7777;
    if (stats.isDirectory()) return [{ path: own, kind: "dir", mode }, ...treeOf(directory, own)];
    if (stats.isSymbolicLink())
      return [{ path: own, kind: "link", target: readlinkSync(join(directory, own)) }];
    return stats.isFile() ? [{ path: own, kind: "file", from: join(directory, own), mode }] : [];
  });
}

async function start(name: string, append: string, root: string): Promise<Machine> {
  return startMachine({
    name: `install-${name}`,
    kernel: (await builtinKernel()).vmlinuz,
    append: `root=/dev/vda1 ${append}`,
    disks: [{ file: boot }, { file: root }],
    timeout_ms: MACHINE_MS,
  });
}

/** What the probe must see of the boot partition, besides the new root. */
const KEPT = {
  "mount./.parent": "outside",
  "mount./boot.source": "/dev/root",
  "mount./boot.parent": "/",
  "mount./boot.type": "ext4",
  "mount./boot.options": "rw,relatime",
  "mounts.count": "6",
  "argv.0": "/sbin/init",
  "argv.count": "2",
  "argv.1": "single",
  "processes.others": "0",
  "fd.count": "3",
  "self.cwd": "/",
  "self.root": "/",
};

/** What may differ besides, as the boot partition stays mounted. */
const KEPT_RULES: readonly Rule[] = [
  { key: /^kernel\.cmdline$/, why: "each names its root and init" },
  { key: /^mount\.\/boot\./, why: "it is mounted there" },
  { key: /^dir\.\/boot$/, why: "the mounted folder is seen, not the one below it" },
  {
    key: /^mounts\.count$/,
    why: "one more",
    allows: (direct, through) => Number(through) <= Number(direct) + 5,
  },
  {
    key: /^memory\.(free|Cached)$/,
    why: "the kernel caches what it has read of a filesystem that is mounted, and takes that memory back when it wants",
    allows: (direct, through) => Math.abs(Number(direct) - Number(through)) < 150_000,
  },
];

test(
  "the root of [boot] is on a logical volume; the partition stays mounted on its /boot, writable",
  async () => {
    const [volume = ""] = await makeDisksInGuest(lvmDisks("linear", await probeRoot()));
    const machine = await start("lvm", "ro init=/init single", volume);
    const listing = await probed(machine);
    expect(Object.fromEntries(listing)).toMatchObject({
      ...KEPT,
      // The second when it was mounted before lvm had ended.
      "mount./.source": expect.stringMatching(/^\/dev\/(mapper\/vg--a-lv--b|dm-\d)$/),
      "mount./.options": "ro,relatime",
    });
    expect(said(machine).filter((line) => /warn|not|can't/i.test(line))).toEqual([]);
  },
  TEST_MS + MACHINE_MS,
);

test(
  "rd.root= on the command line names another one, and rd.rw how it is mounted",
  async () => {
    const append = `rd.root=UUID=${ROOT_UUID} rd.rw rd.lvm=0 ro init=/init rd.oldroot.flags=ro,noatime`;
    const listing = await probed(await start("named", append, probe));
    expect(Object.fromEntries(listing)).toMatchObject({
      "mount./.source": "/dev/vdb",
      "mount./.options": "rw,relatime",
      "mount./boot.options": "ro,noatime",
    });
  },
  TEST_MS,
);

test(
  "an encrypted root: its passphrase is asked for, and the partition kept",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(await probeRoot(), "luks2"));
    const append = `rd.root=UUID=${STORAGE.filesystem} rd.luks.uuid=${STORAGE.luks} rd.lvm=0 init=/init single`;
    const machine = await start("luks", append, disk);
    await answer(machine, STORAGE.passphrase);
    expect(Object.fromEntries(await probed(machine))).toMatchObject({
      ...KEPT,
      "mount./.source": `/dev/mapper/luks-${STORAGE.luks}`,
    });
  },
  TEST_MS + MAKE_MS,
);

test(
  "the init finds the machine as if the kernel had started it from the real root directly",
  async () => {
    const direct = await startMachine({
      name: "install-direct",
      kernel: (await builtinKernel()).vmlinuz,
      append: "root=/dev/vdb single x=y",
      disks: [{ file: boot }, { file: probe }],
      timeout_ms: MACHINE_MS,
    });
    const before = await probed(direct);
    const after = await probed(
      await start("compare", "rd.root=/dev/vdb rd.lvm=0 init=/init single x=y", probe),
    );
    expect(describeDifferences(compare(before, after, [...HANDOVER_RULES, ...KEPT_RULES]))).toBe("");
  },
  2 * TEST_MS,
);

test(
  "the partition is unmounted when rd.oldroot=none says so",
  async () => {
    const machine = await start(
      "none",
      `rd.root=UUID=${ROOT_UUID} rd.lvm=0 init=/init rd.oldroot=none`,
      probe,
    );
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vdb");
    expect(listing.has("mount./boot.source")).toBe(false);
    expect(listing.get("mounts.count")).toBe("5");
  },
  TEST_MS,
);

test(
  "without init= it is a rescue environment: a shell on the console, from which the boot goes on",
  async () => {
    await using machine = await start("rescue", "", probe);
    await atPrompt(machine);
    machine.console.send("grep -c . /proc/mounts; ls -A /; tty\n");
    const [listed] = await machine.console.expect(/tty\n[^]*?\/dev\/ttyS0\n/, MACHINE_MS);
    for (const name of ["init", "sysroot", "vmlinuz"]) expect(listed).toContain(name);
    await machine.console.expect(PROMPT, MACHINE_MS);
    machine.console.send("touch /x; mount -o remount,rw / && touch /x && echo written\n");
    await machine.console.expect(/Read-only file system\n[^]*written\n/, MACHINE_MS);
    await machine.console.expect(PROMPT, MACHINE_MS);
    // What [boot] names is not in this machine.
    machine.console.send(`echo root=UUID=${ROOT_UUID} >/etc/rdinit/cmdline; kill -QUIT 1\n`);
    const listing = await probed(machine);
    expect(Object.fromEntries(listing)).toMatchObject({
      "mount./.source": "/dev/vdb",
      "mount./boot.source": "/dev/root",
      "mount./dev.options": "rw,relatime",
      "mounts.count": "6",
      "processes.others": "0",
    });
  },
  TEST_MS,
);

test(
  "the rescue environment powers the machine off",
  async () => {
    await using machine = await start("poweroff", "rw", probe);
    await atPrompt(machine);
    machine.console.send("poweroff\n");
    await machine.expectEnd("powered off");
    expect(machine.console.text).not.toContain("can't");
  },
  TEST_MS,
);

test(
  "root= of the kernel is never taken for the real root",
  async () => {
    const empty = join(dir, "empty-cmdline.img");
    await makeDisk({
      file: empty,
      type: "ext4",
      size_mb: 160,
      tree: [
        ...["dev", "proc", "run", "sys", "sysroot"].map(
          (name) => ({ path: `/${name}`, kind: "dir" }) as const,
        ),
        { path: "/init", kind: "file", from: RDINIT, mode: 0o755 },
      ],
    });
    await using machine = await startMachine({
      name: "install-unnamed",
      kernel: (await builtinKernel()).vmlinuz,
      append: "root=/dev/vda init=/init panic=-1",
      disks: [{ file: empty }],
      timeout_ms: MACHINE_MS,
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "The real root is not named: root= on the kernel command line is the filesystem that rdinit was started from. " +
        "Add rd.root=UUID=… to the command line, or root=UUID=… to /etc/rdinit/cmdline there.",
    ]);
  },
  TEST_MS,
);

const PROMPT = "/ # ";

async function atPrompt(machine: Machine): Promise<void> {
  await machine.console.expect("To boot on from here: kill -QUIT 1\n", MACHINE_MS);
  await machine.console.expect(PROMPT, MACHINE_MS);
}
