/** Roots on logical volumes, activated by Debian's lvm without udev: every layout, every name, late and missing disks. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import type { Machine } from "../../qemu/machine.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { LVM, type Layout, lvmDisks } from "../../qemu/storage/lvm.ts";

const UUID = `UUID=${LVM.filesystem}`;
const MAPPED = "vg--a-lv--b";
/** What rdinit calls the second physical volume in short, and in full. */
const SHORT = `${LVM.physical[1].slice(0, 6)}…`;
const FULL = `${LVM.physical[1]} (last seen as /dev/vdb)`;
const LACKING = "volume group vg-a has 1 of 2 physical volumes";

/** Tells what device-mapper has when the root is mounted, and where its names lead. */
const LOOK = `#!/bin/sh
for device in /sys/class/block/dm-*; do
  read -r name <$device/dm/name
  echo "dm \${device##*/} $name $(/bin/busybox readlink /dev/mapper/$name)"
done
for link in /dev/vg-a/*; do echo "link $link $(/bin/busybox readlink $link)"; done
`;

let initrd: string;
const look = { to: "/etc/rdinit.d/pre-pivot/10-look", data: Buffer.from(LOOK), mode: 0o755 };

beforeAll(async () => {
  initrd = await rdinitImage({ name: "lvm", tools: ["lvm"], shell: true, files: [look] });
}, MACHINE_MS);

async function disksOf(layout: Layout): Promise<{ file: string }[]> {
  const files = await makeDisksInGuest(lvmDisks(layout, await probeRoot()));
  return files.map((file) => ({ file }));
}

/** The names of all devices of device-mapper in the order of their numbers, and of all links to volumes. */
function seen(machine: Machine): { devices: string[]; links: string[] } {
  const lines = said(machine).map((line) => line.replace(/^10-look: /, "").split(" "));
  const devices = lines.filter(([kind]) => kind === "dm");
  for (const [, device, , link] of devices) expect(link).toBe(`../${device}`);
  return {
    devices: devices.map(([, , name = ""]) => name),
    links: lines.flatMap(([kind, path = "", target]) => {
      if (kind !== "link") return [];
      expect(target).toMatch(/^\.\.\/dm-\d$/);
      return [path];
    }),
  };
}

const BOTH = ["/dev/vg-a/lv-b", "/dev/vg-a/other"];

const layouts: readonly (readonly [Layout, devices: readonly string[], links: readonly string[]])[] = [
  ["linear", [MAPPED, "vg--a-other"], BOTH],
  ["striped", [MAPPED, "vg--a-other"], BOTH],
  [
    "raid1",
    [
      ...[0, 1].flatMap((leg) => [`${MAPPED}_rmeta_${leg}`, `${MAPPED}_rimage_${leg}`]),
      ...[MAPPED, "vg--a-other"],
    ],
    BOTH,
  ],
  ["mirror", [`${MAPPED}_mimage_0`, `${MAPPED}_mimage_1`, MAPPED, "vg--a-other"], BOTH],
  [
    "snapshot",
    [`${MAPPED}-real`, MAPPED, "vg--a-a--before-cow", "vg--a-a--before", "vg--a-other"],
    ["/dev/vg-a/a-before", ...BOTH],
  ],
  [
    "thin",
    ["pool_tmeta", "pool_tdata", "pool-tpool", "pool", "lv--b", "other"].map((name) => `vg--a-${name}`),
    BOTH,
  ],
];

for (const [layout, devices, links] of layouts)
  test(
    `${layout}, by the UUID of the filesystem`,
    async () => {
      const machine = await bootRdinit(`lvm-${layout}`, {
        append: `root=${UUID}`,
        disks: await disksOf(layout),
        initrd,
      });
      const listing = await probed(machine);
      expect(seen(machine)).toEqual({ devices: [...devices], links: [...links] });
      // Not the leg of a mirror, not the snapshot, whose filesystems have the same UUID.
      expect(listing.get("mount./.source")).toBe(`/dev/mapper/${MAPPED}`);
      // What the real system finds of it all: udev's records, and no file of lvm.
      const left = [...listing.keys()].filter((key) => /^dir\.\/run\/./.test(key) && !key.includes("rdinit"));
      const major = /b(\d+):0$/m.exec(left.join("\n"))?.[1];
      expect(left).toEqual([
        ...["dir./run/udev", "dir./run/udev/data"],
        ...devices.map((_, minor) => `dir./run/udev/data/b${major}:${minor}`),
      ]);
    },
    TEST_MS,
  );

test(
  "the kernel's modules for the volume are loaded",
  async () => {
    const kernel = await stockKernel();
    const drivers = ["virtio_pci", "virtio_blk", "ext4", "dm_mod", "dm_thin_pool"];
    const machine = await bootRdinit("lvm-modules", {
      kernel: kernel.vmlinuz,
      append: "root=/dev/vg-a/lv-b",
      disks: await disksOf("thin"),
      initrd: await rdinitImage({ name: "lvm-modules", kernel, drivers, tools: ["lvm"] }),
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("ext4");
    expectSaid(machine, ["lvm activated vg-a/lv-b"]);
  },
  TEST_MS,
);

const names: readonly (readonly [line: string, devices: readonly string[]])[] = [
  ["root=/dev/vg-a/lv-b", [MAPPED]],
  [`root=/dev/mapper/${MAPPED}`, [MAPPED]],
  [`root=${UUID} rd.lvm.lv=vg-a/lv-b`, [MAPPED]],
  ["root=/dev/vg-a/lv-b rd.lvm.lv=vg-a/other", [MAPPED, "vg--a-other"]],
  [`root=${UUID} rd.lvm.vg=vg-a`, [MAPPED, "vg--a-other"]],
];

for (const [at, [line, devices]] of names.entries())
  test(
    `${line} activates ${devices.join(" and ")}`,
    async () => {
      const machine = await bootRdinit(`lvm-name${at}`, {
        append: line,
        disks: await disksOf("linear"),
        initrd,
      });
      const listing = await probed(machine);
      expect(listing.get("mount./.type")).toBe("ext4");
      expect(seen(machine).devices).toEqual([...devices]);
    },
    TEST_MS,
  );

test(
  "a group whose second disk comes late is waited for, and said so",
  async () => {
    const [first, second] = await disksOf("spanned");
    if (first === undefined || second === undefined) throw new Error("the group has two disks");
    const machine = await bootRdinit("lvm-late", {
      append: "root=/dev/vg-a/lv-b quiet",
      disks: [first],
      hotplug: ["virtio-blk"],
      initrd,
    });
    // With quiet the word comes after three seconds.
    const waiting = `rdinit: waiting for the root /dev/vg-a/lv-b; ${LACKING} (missing `;
    await machine.console.expect(waiting, MACHINE_MS);
    await machine.plugDisk(second);
    expect((await probed(machine)).get("mount./.type")).toBe("ext4");
    expectSaid(machine, [
      new RegExp(`; ${LACKING} \\(missing ${SHORT}\\); there is vda .* \\(giving up in 2\\d s\\)$`),
    ]);
  },
  TEST_MS,
);

test(
  "a group that stays incomplete ends the boot with what is missing, and nothing is activated",
  async () => {
    const [first] = await disksOf("raid1");
    if (first === undefined) throw new Error("the group has two disks");
    const machine = await bootRdinit("lvm-missing", {
      append: "root=/dev/vg-a/lv-b rd.timeout=2 rd.lvm.timeout=1 rd.shell=0 panic=-1",
      disks: [first],
      initrd,
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      `The ${LACKING}; missing: ${FULL}. rd.lvm.activationmode=degraded (for RAID) or =partial activates what it can without them.`,
      "The root /dev/vg-a/lv-b did not appear.",
    ]);
    expect(said(machine).filter((line) => line.includes("lvm activate"))).toEqual([]);
  },
  TEST_MS,
);

test(
  "rd.lvm.activationmode=degraded starts a mirror on one disk, and says so",
  async () => {
    const [first] = await disksOf("raid1");
    if (first === undefined) throw new Error("the group has two disks");
    const machine = await bootRdinit("lvm-degraded", {
      // The root's own deadline is the earlier one: it does not count before that of the group.
      append: "root=/dev/vg-a/lv-b rd.timeout=1 rd.lvm.activationmode=degraded rd.lvm.timeout=3",
      disks: [first],
      initrd,
    });
    expect((await probed(machine)).get("mount./.type")).toBe("ext4");
    expectSaid(machine, [
      `the volume group vg-a lacks ${LVM.physical[1]}; vg-a/lv-b is activated all the same, as rd.lvm.activationmode=degraded says.`,
    ]);
    expect(seen(machine).links).toEqual(["/dev/vg-a/lv-b"]);
  },
  TEST_MS,
);

test(
  "lvm's own words are shown when it refuses",
  async () => {
    const [first] = await disksOf("striped");
    if (first === undefined) throw new Error("the group has two disks");
    const machine = await bootRdinit("lvm-refuses", {
      append:
        "root=/dev/vg-a/lv-b rd.timeout=2 rd.lvm.activationmode=degraded rd.lvm.timeout=1 rd.shell=0 panic=-1",
      disks: [first],
      initrd,
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /^lvm: .*Refusing activation of partial LV vg-a\/lv-b\./,
      /^lvm did not activate vg-a\/lv-b: it ended with status 5; its last words: Refusing activation of partial LV/,
    ]);
  },
  TEST_MS,
);

test(
  "an image without lvm, and one that is told to let it be",
  async () => {
    const disks = await disksOf("linear");
    const bare = await rdinitImage({ name: "lvm-bare" });
    const append = "root=/dev/vg-a/lv-b rd.timeout=2 rd.shell=0 panic=-1";
    const without = await bootRdinit("lvm-without", { append, disks, initrd: bare });
    await without.expectEnd("rebooted");
    expectSaid(without, ["lvm did not activate vg-a/lv-b: it is not in the image"]);
    const off = await bootRdinit("lvm-off", { append: `${append} rd.lvm=0`, disks, initrd });
    await off.expectEnd("rebooted");
    expectSaid(off, ["/dev/vda is left alone, as rd.lvm=0 says."]);
  },
  TEST_MS,
);
