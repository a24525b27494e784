/** Live roots: an image in a file or on a device, covered by an overlay in memory or on a disk. */

import { beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { run } from "../../qemu/host.ts";
import { rdinitImage, staticBusybox } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import type { Machine, MachineOptions } from "../../qemu/machine.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { ROOT_FOLDERS, type Tree } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const UUID = "11fe4d0e-0c5f-4a55-9d2e-51c7e0b7a011";
const LIVE_UUID = "22fe4d0e-0c5f-4a55-9d2e-51c7e0b7a022";

/** The real init: writes to its root, and says what it sees. stty waits until all of it is on the console. */
const INIT = `#!/bin/busybox sh
b=/bin/busybox
echo again >>/etc/boots || echo "INIT can't write"
$b rm -f /etc/motd
echo "INIT boots: $($b wc -l </etc/boots), below: $($b wc -l </run/rootfsbase/etc/boots)"
echo "INIT / is $($b stat -c '%a %u:%g' /)"
$b awk '{ print "INIT mount " $1 " " $2 " " $3 " " substr($4, 1, 2) }' /proc/mounts
$b find /run | $b sort | $b sed 's/^/INIT /' | $b grep -v '/rootfsbase/\\|/live/\\|/squashfs/'
$b sync
echo "INIT END"
$b stty echo
$b poweroff -f
`;

let tree: Tree;
let squashfs: string;
let erofs: string;
let ext4: string;
let live: string;
let changes: string;
let initrd: string;

beforeAll(async () => {
  tree = [
    ...ROOT_FOLDERS,
    { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
    { path: "/sbin/init", kind: "text", text: INIT, mode: 0o755 },
    { path: "/etc/boots", kind: "text", text: "" },
    { path: "/etc/motd", kind: "text", text: "hello" },
  ];
  [squashfs, erofs, ext4, live, changes] = ["squashfs", "erofs", "ext4", "live", "changes"].map((name) =>
    join(dir, name),
  ) as [string, string, string, string, string];
  await makeDisk({ file: squashfs, type: "squashfs", tree });
  await makeDisk({ file: erofs, type: "erofs", tree, uuid: UUID });
  await makeDisk({ file: ext4, type: "ext4", tree, uuid: UUID, size_mb: 16 });
  await makeDisk({
    file: live,
    type: "ext4",
    tree: [at("/LiveOS/squashfs.img")],
    label: "LIVE",
    uuid: LIVE_UUID,
    size_mb: 16,
  });
  await makeDisk({ file: changes, type: "ext4", tree: [], label: "changes", size_mb: 16 });
  initrd = await rdinitImage({ name: "live" });
}, MACHINE_MS);

function at(path: string, from = squashfs): Tree[number] {
  return { path, kind: "file", from };
}

async function boot(name: string, append: string, disks: MachineOptions["disks"]): Promise<Machine> {
  return bootRdinit(`live-${name}`, { append: `${append} panic=-1`, disks: disks ?? [], initrd });
}

/** What the real init said, when it has come to its end. */
async function seen(machine: Machine): Promise<string[]> {
  await machine.expectEnd("powered off");
  const lines = [...machine.console.text.matchAll(/^INIT (.*)$/gm)].map(([, words = ""]) => words);
  expect(lines.at(-1)).toBe("END");
  return lines;
}

/** A copy that a machine may write to. */
function writable(file: string, name: string): { readonly file: string; readonly snapshot: false } {
  const copy = join(dir, name);
  copyFileSync(file, copy);
  return { file: copy, snapshot: false };
}

function digest(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** The mounts of the real init that hold up its root, those of the kernel left out. */
function mountsIn(lines: readonly string[]): string[] {
  const mounts = lines.filter((line) => line.startsWith("mount ")).map((line) => line.slice("mount ".length));
  return mounts.filter((line) => !/ \/(proc|dev|sys|run) /.test(line));
}

test(
  "a squashfs in a file of an ext4, changes in memory: nothing is written to the device",
  async () => {
    const disk = writable(live, "untouched");
    const before = digest(disk.file);
    const machine = await boot("file", "root=live:LABEL=LIVE rd.live.overlay.size=64", [disk]);
    const lines = await seen(machine);
    expect(lines).toContain("boots: 1, below: 0");
    expect(lines).toContain("/ is 755 0:0");
    expect(mountsIn(lines)).toEqual([
      "/dev/vda /run/initramfs/live ext4 ro",
      "/dev/loop0 /run/rootfsbase squashfs ro",
      "tmpfs /run/overlayfs tmpfs rw",
      "LiveOS_rootfs / overlay rw",
    ]);
    const left = lines.filter((line) => line.startsWith("/run") && !line.startsWith("/run/overlayfs/"));
    const places = ["/run", "/run/initramfs", "/run/initramfs/live", "/run/overlayfs", "/run/rootfsbase"];
    expect(left).toEqual(places);
    expectSaid(machine, [
      "mounted /dev/loop0 (squashfs) as the root, from the image LiveOS/squashfs.img on /dev/vda, read-only",
      "covered the root with an overlay in memory (at most 64 MiB): changes are lost when the machine goes off",
    ]);
    expect(digest(disk.file)).toBe(before);
  },
  TEST_MS,
);

test(
  "an erofs directly on the device, with an overlay in memory; an ext4 the same, and it stays as it was",
  async () => {
    const first = await seen(await boot("erofs", `root=UUID=${UUID} rd.overlay=1 rw`, [{ file: erofs }]));
    expect(first).toContain("boots: 1, below: 0");
    expect(mountsIn(first)).toEqual([
      "/dev/vda /run/rootfsbase erofs ro",
      "tmpfs /run/overlayfs tmpfs rw",
      "LiveOS_rootfs / overlay rw",
    ]);
    const disk = writable(ext4, "below");
    const before = digest(disk.file);
    const second = await seen(await boot("ext4", "root=/dev/vda rw rd.live.overlay.overlayfs", [disk]));
    expect(second).toContain("boots: 1, below: 0");
    expect(mountsIn(second)[0]).toBe("/dev/vda /run/rootfsbase ext4 ro");
    expect(digest(disk.file)).toBe(before);
  },
  TEST_MS * 2,
);

test(
  "an overlay on a disk persists, may be left as it is, and can be emptied",
  async () => {
    const disks = [writable(live, "persistent-live"), writable(changes, "persistent-changes")];
    const line = "root=live:LABEL=LIVE rd.live.overlay=LABEL=changes";
    const place = `LiveOS/overlay-LIVE-${LIVE_UUID}`;
    const first = await boot("disk-1", line, disks);
    const lines = await seen(first);
    expect(lines).toContain("boots: 1, below: 0");
    expect(mountsIn(lines)).toEqual([
      "/dev/vda /run/initramfs/live ext4 ro",
      "/dev/loop0 /run/rootfsbase squashfs ro",
      "/dev/vdb /run/initramfs/overlayfs ext4 rw",
      "LiveOS_rootfs / overlay rw",
    ]);
    expect(lines).toContain(`/run/initramfs/overlayfs/${place}/etc/boots`);
    expectSaid(first, [`covered the root with an overlay on /dev/vdb, in ${place}: changes are kept there`]);
    expect(await seen(await boot("disk-2", line, disks))).toContain("boots: 2, below: 0");
    const third = await boot("disk-3", `${line} rd.live.overlay.readonly`, disks);
    const left = await seen(third);
    expect(left).toContain("boots: 3, below: 0");
    expect(mountsIn(left)).toContain("/dev/vdb /run/initramfs/overlayfs ext4 ro");
    expect(await seen(await boot("disk-4", line, disks))).toContain("boots: 3, below: 0");
    const emptied = await boot("disk-5", `${line} rd.overlay.reset=1`, disks);
    expect(await seen(emptied)).toContain("boots: 1, below: 0");
    expectSaid(emptied, [`emptying the overlay on /dev/vdb, in ${place}, as rd.overlay.reset asks`]);
  },
  TEST_MS * 3,
);

test(
  "the overlay on the device of the image, in a directory and in an image file there",
  async () => {
    const disks = [writable(live, "both")];
    for (const boots of [1, 2]) {
      const machine = await boot(`both-${boots}`, "root=live:LABEL=LIVE rd.overlay=LABEL=LIVE", disks);
      const lines = await seen(machine);
      expect(lines).toContain(`boots: ${boots}, below: 0`);
      expect(mountsIn(lines)[0]).toBe("/dev/vda /run/initramfs/live ext4 rw");
    }
    const stick = join(dir, "stick");
    const files = [at("/LiveOS/squashfs.img"), at("/store.img", changes)];
    await makeDisk({ file: stick, type: "vfat", tree: files, label: "STICK", size_mb: 40 });
    const sticks = [writable(stick, "stick-used")];
    for (const boots of [1, 2]) {
      const line = "root=live:LABEL=STICK rd.overlay=LABEL=STICK:/store.img";
      const lines = await seen(await boot(`stick-${boots}`, line, sticks));
      expect(lines).toContain(`boots: ${boots}, below: 0`);
      expect(mountsIn(lines)).toContain("/dev/loop1 /run/initramfs/overlayimage ext4 rw");
    }
  },
  TEST_MS * 3,
);

test(
  "an image that is copied to memory needs its device no more",
  async () => {
    const machine = await boot("ram-file", "root=live:LABEL=LIVE rd.live.ram=1", [{ file: live }]);
    const lines = await seen(machine);
    expect(lines).toContain("boots: 1, below: 0");
    expect(mountsIn(lines)).toEqual([
      "tmpfs /run/initramfs/ram tmpfs rw",
      "/dev/loop0 /run/rootfsbase squashfs ro",
      "tmpfs /run/overlayfs tmpfs rw",
      "LiveOS_rootfs / overlay rw",
    ]);
    expectSaid(machine, ["copied the image LiveOS/squashfs.img on /dev/vda to memory"]);
    const whole = await seen(await boot("ram-device", "root=live:/dev/vda rd.live.ram", [{ file: erofs }]));
    expect(mountsIn(whole)[1]).toBe("/dev/loop0 /run/rootfsbase erofs ro");
  },
  TEST_MS * 2,
);

test(
  "a filesystem in the squashfs, and one without a squashfs, without an overlay",
  async () => {
    const inner = join(dir, "inner.squashfs");
    await makeDisk({ file: inner, type: "squashfs", tree: [at("/LiveOS/rootfs.img", ext4)] });
    const nested = await seen(await boot("nested", "root=/dev/vda rd.live.image", [{ file: inner }]));
    expect(nested).toContain("boots: 1, below: 0");
    expect(mountsIn(nested).slice(0, 2)).toEqual([
      "/dev/vda /run/initramfs/squashfs squashfs ro",
      "/dev/loop0 /run/rootfsbase ext4 ro",
    ]);
    const plain = join(dir, "plain.ext4");
    await makeDisk({ file: plain, type: "ext4", tree: [at("/os/rootfs.img", ext4)], size_mb: 24 });
    const line = "root=live:/dev/vda rd.live.dir=os rd.live.overlay=none";
    const lines = await seen(await boot("plain", line, [{ file: plain }]));
    expect(lines).toContain("can't write");
    expect(mountsIn(lines)).toEqual(["/dev/vda /run/initramfs/live ext4 ro", "/dev/loop0 / ext4 ro"]);
  },
  TEST_MS * 2,
);

test(
  "a root without /proc, /sys, /dev and /run, named as a boot loader without quotes names it, in so much memory",
  async () => {
    const [image, file] = [join(dir, "bare.squashfs"), join(dir, "bare")];
    const bare = tree.filter(({ path }) => !["/proc", "/sys", "/dev", "/run"].includes(path));
    await makeDisk({ file: image, type: "squashfs", tree: bare });
    await makeDisk({
      file,
      type: "ext4",
      tree: [at("/LiveOS/rootfs.img", image)],
      label: "MY LIVE",
      size_mb: 16,
    });
    const line = "rd.live.image root=live:CDLABEL=MY\\x20LIVE rd.overlay=tmpfs:size=32M,nr_inodes=1000";
    const machine = await boot("bare", line, [{ file }]);
    const lines = await seen(machine);
    expect(lines).toContain("boots: 1, below: 0");
    for (const path of ["/proc", "/sys", "/dev", "/run"])
      expect(lines.filter((words) => words.startsWith("mount ") && words.includes(` ${path} `))).toHaveLength(
        1,
      );
    expectSaid(machine, [
      "covered the root with an overlay in memory (at most 32 MiB): changes are lost when the machine goes off",
    ]);
  },
  TEST_MS,
);

/** What goes wrong, and what is said then. */
const failures: readonly {
  readonly name: string;
  readonly line: string;
  readonly disks: () => Promise<readonly string[]>;
  readonly says: string;
}[] = [
  {
    name: "missing",
    line: "root=live:LABEL=LIVE rd.live.squashimg=other.img",
    disks: async () => [live],
    says:
      "/dev/vda has no image LiveOS/other.img: LiveOS holds squashfs.img. Name it by rd.live.dir= and " +
      "rd.live.squashimg=; a root that lies on the device itself needs no live: in root=.",
  },
  {
    name: "cut",
    line: "root=live:/dev/vda",
    disks: async () => {
      const [short, file] = [join(dir, "short"), join(dir, "cut")];
      copyFileSync(squashfs, short);
      truncateSync(short, 300_000);
      await makeDisk({ file, type: "ext4", tree: [at("/LiveOS/squashfs.img", short)], size_mb: 16 });
      return [file];
    },
    says: "The image LiveOS/squashfs.img on /dev/vda is cut short: the squashfs says that it has",
  },
  {
    name: "damaged",
    line: "root=live:/dev/vda",
    disks: async () => {
      const [torn, file] = [join(dir, "torn"), join(dir, "damaged")];
      const bytes = readFileSync(squashfs);
      // Its tables, which lie at the end.
      bytes.fill(0xff, bytes.length - 8192);
      writeFileSync(torn, bytes);
      await makeDisk({ file, type: "ext4", tree: [at("/LiveOS/squashfs.img", torn)], size_mb: 16 });
      return [file];
    },
    says: "The image LiveOS/squashfs.img on /dev/vda behind /dev/loop0 can't be mounted as squashfs:",
  },
  {
    name: "diskless",
    line: "root=live:LABEL=LIVE rd.overlay=LABEL=changes rd.timeout=2",
    disks: async () => [live],
    says:
      "LABEL=changes, which keeps the changes to the root, did not appear. Plug it in. Boot with rd.overlay=1 " +
      "in place of that to keep changes in memory until the machine goes off.",
  },
  {
    name: "vfat",
    line: "root=/dev/vda rd.overlay=/dev/vdb:over",
    disks: async () => {
      const file = join(dir, "vfat");
      await makeDisk({ file, type: "vfat", tree: [], size_mb: 16 });
      return [ext4, file];
    },
    says: "/dev/vdb can't keep the overlay in the directory over: a vfat has no place for what Linux notes of files.",
  },
  {
    name: "itself",
    line: "root=/dev/vda rd.overlay=/dev/vda",
    disks: async () => [ext4],
    says: "/dev/vda can't keep the overlay: it is mounted on /sysroot, and an overlay can't lie on the root itself.",
  },
];

for (const { name, line, disks, says } of failures)
  test(
    `${name}: ${says}`,
    async () => {
      const files = await disks();
      const machine = await boot(
        name,
        line,
        files.map((file) => ({ file })),
      );
      await machine.expectEnd("rebooted");
      expect(said(machine).filter((words) => words.startsWith(says))).toHaveLength(1);
    },
    TEST_MS,
  );

test(
  "an overlay's disk that comes late is taken; one that does not come may be done without, aloud",
  async () => {
    const late = await bootRdinit("live-late", {
      append: "root=live:LABEL=LIVE rd.overlay=LABEL=changes rd.timeout=2",
      disks: [{ file: live }],
      hotplug: ["virtio-blk"],
      initrd,
    });
    await late.console.expect("Waiting: when a device appears, the boot is tried again.", MACHINE_MS);
    await late.plugDisk({ file: changes });
    const lines = await seen(late);
    expect(mountsIn(lines)).toContain("/dev/vdb /run/initramfs/overlayfs ext4 rw");
    expect(lines).toContain(`/run/initramfs/overlayfs/LiveOS/overlay-LIVE-${LIVE_UUID}/etc/boots`);
    const without = await boot(
      "without",
      "root=live:LABEL=LIVE rd.overlay=LABEL=changes rd.timeout=2 rd.live.overlay.nouserconfirmprompt=1",
      [{ file: live }],
    );
    expect(await seen(without)).toContain("boots: 1, below: 0");
    expectSaid(without, [
      "LABEL=changes, which keeps the changes to the root, did not appear. rd.live.overlay.nouserconfirmprompt lets " +
        "the boot go on with an overlay in memory: all changes are lost when the machine goes off.",
    ]);
  },
  TEST_MS * 2,
);

test(
  "a disc, by its label",
  async () => {
    const kernel = await stockKernel();
    const file = join(dir, "disc.iso");
    const graft = `LiveOS/squashfs.img=${squashfs}`;
    await run(["genisoimage", "-quiet", "-R", "-V", "Live Disc", "-graft-points", "-o", file, graft]);
    const drivers = ["virtio_pci", "virtio_blk", "isofs", "loop", "squashfs", "overlay"];
    const machine = await bootRdinit("live-disc", {
      kernel: kernel.vmlinuz,
      append: 'root="live:CDLABEL=Live Disc" panic=-1',
      disks: [{ file, readonly: true }],
      image: { kernel, drivers },
    });
    const lines = await seen(machine);
    expect(lines).toContain("boots: 1, below: 0");
    expect(mountsIn(lines)[0]).toBe("/dev/vda /run/initramfs/live iso9660 ro");
  },
  TEST_MS,
);

test(
  "the image of a disc that is a file on a filesystem, as boot loaders loop it; one that is nowhere",
  async () => {
    const kernel = await stockKernel();
    const [disc, file] = [join(dir, "looped.iso"), join(dir, "looped")];
    const graft = `LiveOS/squashfs.img=${squashfs}`;
    await run(["genisoimage", "-quiet", "-R", "-V", "ISO", "-graft-points", "-o", disc, graft]);
    await makeDisk({ file, type: "ext4", tree: [at("/boot/iso/live.iso", disc)], size_mb: 16 });
    const drivers = ["virtio_pci", "virtio_blk", "ext4", "isofs", "loop", "squashfs", "overlay"];
    const image = { kernel, drivers };
    const looped = await bootRdinit("live-looped", {
      kernel: kernel.vmlinuz,
      append: "iso-scan/filename=/boot/iso/live.iso root=live:CDLABEL=ISO rd.live.image quiet panic=-1",
      disks: [{ file: changes }, { file }],
      image,
    });
    const lines = await seen(looped);
    expect(lines).toContain("boots: 1, below: 0");
    expect(mountsIn(lines).slice(0, 3)).toEqual([
      "/dev/vdb /run/initramfs/isoscan ext4 ro",
      "/dev/loop0 /run/initramfs/live iso9660 ro",
      "/dev/loop1 /run/rootfsbase squashfs ro",
    ]);
    const nowhere = await bootRdinit("live-nowhere", {
      kernel: kernel.vmlinuz,
      append: "iso-scan/filename=/live.iso root=live:CDLABEL=ISO rd.timeout=2 panic=-1",
      disks: [{ file: changes }, { file }],
      image,
    });
    await nowhere.expectEnd("rebooted");
    expectSaid(nowhere, [
      "No filesystem here holds the disc image live.iso of iso-scan/filename=: looked on /dev/vda, /dev/vdb. The path " +
        "begins at the top of its filesystem. Does the image hold the filesystem's driver?",
    ]);
  },
  TEST_MS * 2,
);

test(
  "on the distribution's kernel, where all of it is in modules, with nothing left but its mounts",
  async () => {
    const kernel = await stockKernel();
    const image = join(dir, "probe.squashfs");
    await makeDisk({ file: image, type: "squashfs", tree: await probeRoot() });
    const file = join(dir, "stock");
    await makeDisk({ file, type: "ext4", tree: [at("/LiveOS/squashfs.img", image)], size_mb: 16 });
    const drivers = ["virtio_pci", "virtio_blk", "ext4", "loop", "squashfs", "overlay"];
    const machine = await bootRdinit("live-stock", {
      kernel: kernel.vmlinuz,
      append: "root=live:/dev/vda panic=-1",
      disks: [{ file }],
      image: { kernel, drivers },
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("overlay");
    expect(listing.get("mount./.options")).toMatch(/^rw,/);
    expect(listing.get("mount./run/rootfsbase.type")).toBe("squashfs");
    expect(listing.get("processes.others")).toBe("0");
  },
  TEST_MS,
);
