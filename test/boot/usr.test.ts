/** More than the root, mounted before its init runs: what its fstab says, and what the command line asks for. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { run } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { buildProbe } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { ROOT_FOLDERS, type Tree } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const USR_UUID = "77774d0e-0c5f-4a55-9d2e-51c7e0b7a007";
let usr: string;
let state: string;
let initrd: string;

beforeAll(async () => {
  usr = join(dir, "usr.img");
  state = join(dir, "var.img");
  await makeDisk({
    file: usr,
    type: "ext4",
    uuid: USR_UUID,
    size_mb: 16,
    tree: [{ path: "/sbin/init", kind: "file", from: await buildProbe(), mode: 0o755 }],
  });
  await makeDisk({
    file: state,
    type: "ext4",
    label: "state",
    size_mb: 8,
    tree: ["/lib", "/upper", "/work"].map((path) => ({ path, kind: "dir" }) as const),
  });
  initrd = await rdinitImage({ name: "usr", tools: ["fsck.ext4"] });
}, MACHINE_MS);

/** A root whose init lies in /usr, which is another filesystem, with this fstab. */
async function rootDisk(
  name: string,
  fstab: readonly string[],
  folders: readonly string[] = [],
): Promise<string> {
  const file = join(dir, `${name}.img`);
  const tree: Tree = [
    ...ROOT_FOLDERS.filter(({ path }) => path !== "/sbin"),
    { path: "/sbin", kind: "link", target: "usr/sbin" },
    { path: "/etc/fstab", kind: "text", text: `${fstab.join("\n")}\n` },
    ...["/usr", "/var", ...folders].map((path) => ({ path, kind: "dir" }) as const),
  ];
  await makeDisk({ file, type: "ext4", size_mb: 16, tree });
  return file;
}

test(
  "/usr with the init in it, what is marked x-initrd.mount below it, bind mounts and overlays",
  async () => {
    const file = await rootDisk(
      "whole",
      [
        "/dev/vda / ext4 defaults 0 1",
        "/srv/lib /opt/lib none bind,ro,x-initrd.mount 0 0",
        "overlay /etc overlay lowerdir=/etc,upperdir=/var/upper,workdir=/var/work,x-initrd.mount 0 0",
        "/var/lib /srv/lib none bind,x-initrd.mount 0 0",
        "LABEL=state /var ext4 noatime,x-initrd.mount 0 2",
        "tmpfs /var/lib tmpfs mode=0700,nosuid,x-initrd.mount 0 0",
        "LABEL=other /mnt ext4 defaults 0 0",
        "UUID=00000000-1111-2222-3333-444444444444 /lost ext4 nofail,x-initrd.mount,x-systemd.device-timeout=1s 0 0",
        `UUID=${USR_UUID} /usr ext4 ro,noauto 0 2`,
      ],
      ["/srv", "/srv/lib", "/opt", "/opt/lib", "/mnt", "/lost"],
    );
    const disks = [{ file }, { file: state }, { file: usr }];
    const machine = await bootRdinit("usr-whole", { append: "root=/dev/vda rw debug", disks, initrd });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    expect(listing.get("mount./usr.source")).toBe("/dev/vdc");
    expect(listing.get("mount./usr.options")).toMatch(/^ro/);
    expect(listing.get("mount./var.source")).toBe("/dev/vdb");
    expect(listing.get("mount./var.options")).toMatch(/^rw,noatime/);
    expect(listing.get("mount./var/lib.type")).toBe("tmpfs");
    expect(listing.get("mount./srv/lib.type")).toBe("tmpfs");
    expect(listing.get("mount./opt/lib.options")).toMatch(/^ro/);
    expect(listing.get("mount./etc.type")).toBe("overlay");
    expect(listing.get("mount./mnt.source")).toBeUndefined();
    expect(listing.get("processes.others")).toBe("0");
    expectSaid(machine, [
      "running e2fsck -p -C 1 /dev/vdc",
      "running e2fsck -p -C 1 /dev/vdb",
      /^The device of \/lost, UUID=0+-1111-.*, did not appear\. .*The boot goes on, as fstab says nofail for \/lost\.$/,
    ]);
  },
  TEST_MS,
);

test(
  "a /usr that does not come stops the boot, with a sentence; plugged in late, it is taken",
  async () => {
    const file = await rootDisk("late", [`UUID=${USR_UUID} /usr auto ro 0 2`]);
    const machine = await bootRdinit("usr-late", {
      append: "root=/dev/vda rd.timeout=2",
      disks: [{ file }],
      hotplug: ["virtio-blk"],
      initrd,
    });
    await machine.console.expect(`rdinit: waiting for UUID=${USR_UUID}, the device of /usr;`, MACHINE_MS);
    await machine.console.expect(`rdinit: The device of /usr, UUID=${USR_UUID}, did not appear.`, MACHINE_MS);
    await machine.console.expect("Waiting: when a device appears, the boot is tried again.", MACHINE_MS);
    await machine.plugDisk({ file: usr });
    const listing = await probed(machine);
    expect(listing.get("mount./usr.source")).toBe("/dev/vdb");
    expectSaid(machine, ["/sysroot is mounted already and is taken as the root."]);
  },
  TEST_MS,
);

test(
  "rd.mounts= adds to it; errors of a filesystem that are left stop the boot, unless nofail",
  async () => {
    const damaged = join(dir, "damaged.img");
    await run(["cp", state, damaged]);
    await run(["debugfs", "-w", "-f", "-", damaged], { stdin: "sif / mode 0100644\nssv state 0\n" });
    const lines = [`UUID=${USR_UUID} /usr ext4 ro 0 2`, "LABEL=state /var ext4 defaults 0 2"];
    const file = await rootDisk("asked", lines);
    const stopped = await bootRdinit("usr-damaged", {
      append: "root=/dev/vda rd.mounts=/var panic=-1",
      disks: [{ file }, { file: usr }, { file: damaged }],
      initrd,
    });
    await stopped.expectEnd("rebooted");
    expectSaid(stopped, [
      /^\/dev\/vdc \(ext4\) has errors that its check could not correct, and is not mounted\./,
    ]);

    const asked = await bootRdinit("usr-asked", {
      append: "root=/dev/vda rd.mounts=/var,/none,x",
      disks: [{ file }, { file: usr }, { file: state }],
      initrd,
    });
    const listing = await probed(asked);
    expect(listing.get("mount./var.source")).toBe("/dev/vdc");
    expectSaid(asked, ["/none of rd.mounts= is not mounted: fstab has no line for it."]);
    expect(said(asked).filter((line) => line.includes("can't be mounted"))).toEqual([]);
  },
  TEST_MS * 2,
);

test(
  "mount.usr= and its like name a /usr that fstab does not have",
  async () => {
    const file = await rootDisk("named", ["LABEL=wrong /usr ext4 defaults 0 2"]);
    const machine = await bootRdinit("usr-named", {
      append: `root=/dev/vda mount.usr=UUID=${USR_UUID} mount.usrflags=noatime rd.fstab=0 debug`,
      disks: [{ file }, { file: usr }],
      initrd,
    });
    const listing = await probed(machine);
    expect(listing.get("mount./usr.source")).toBe("/dev/vdb");
    expect(listing.get("mount./usr.options")).toBe("ro,noatime");
    expectSaid(machine, ["running e2fsck -p -C 1 /dev/vdb"]);
  },
  TEST_MS,
);
