/** What goes into an image by what was asked for, and by what its parameters ask for. */

import { expect, test } from "bun:test";
import { release as uname } from "node:os";
import type { ChosenKernel } from "../../../src/image/kernel-choice.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { selectParts } from "../../../src/image/selection.ts";
import type { ImageSettings } from "../../../src/image/settings.ts";
import { makeElf } from "../../fixtures/elf.ts";
import { SDA, disk, driven, type Files, virtual } from "../../fixtures/machines/fake.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const SETTINGS: ImageSettings = {
  root: "/",
  kernel: undefined,
  modules: undefined,
  selection: "host",
  drivers: [],
  network: false,
  ssh: false,
  authorizedKeys: [],
  hostKeys: [],
  keyFiles: false,
  tools: [],
  includes: [],
  bootWords: "",
  microcode: "none",
  shell: true,
  init: undefined,
  compression: "none",
  level: undefined,
};

const NIC = "pci0000:00/0000:00:03.0";

/** A machine with two disks and a network card. */
const MACHINE: Files = {
  ...SDA,
  ...disk("sdb", "8:16", "pci0000:00/0000:00:1f.2/ata2/host1"),
  ...driven(NIC, "pci", "e1000e", "e1000e"),
  "sys/class/net/eth0": `-> ../../devices/${NIC}/net/eth0`,
  [`sys/devices/${NIC}/net/eth0/device`]: "-> ../..",
  [`sys/devices/${NIC}/net/eth0/uevent`]: "INTERFACE=eth0\n",
  "proc/self/mountinfo":
    "26 1 8:0 / / rw - ext4 /dev/sda rw\n27 26 8:16 / /var rw - xfs /dev/sdb rw\n28 26 8:16 / /srv rw - btrfs /dev/sdb rw\n",
  "etc/fstab": "/dev/sda / ext4\n/dev/sdb /var xfs\n/dev/sdb /srv btrfs x-initrd.mount\n",
  // What checks the root.
  "sbin/e2fsck": makeElf({}) as unknown as string,
};

function select(settings: Partial<ImageSettings>, files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const { parts } = selectParts(
    { ...SETTINGS, ...settings },
    new RootTree(temporaryTree({ ...MACHINE, ...files })),
    undefined,
  );
  const modules = parts.flatMap((part) => [
    ...(part.modules ?? []),
    ...(part.modulesExpected ?? []),
    ...(part.modulesIfThere ?? []),
  ]);
  const fstab = parts.flatMap(({ made = [] }) => made).find(({ to }) => to === "/etc/fstab")?.data;
  const notes = parts.flatMap((part) => part.notes ?? []);
  const taken = parts.flatMap((part) => part.files ?? []);
  return { modules, files: taken, fstab: Buffer.from(fstab ?? []).toString(), notes: notes.join("\n") };
}

test("what the boot mounts besides the root has its drivers, and the line that says so", () => {
  const usual = select({});
  expect(usual.modules).toContain("fs-btrfs");
  expect(usual.modules).not.toContain("fs-xfs");
  expect(usual.fstab).toBe("/dev/sda / ext4\n/dev/sdb /srv btrfs x-initrd.mount\n");
  const asked = select({ bootWords: "rd.mounts=/var" });
  expect(asked.modules).toContain("fs-xfs");
  expect(asked.fstab).toContain("/dev/sdb /var xfs\n");
  expect(select({ bootWords: "rd.fstab=0" }).modules).not.toContain("fs-btrfs");
});

test("nothing of the network, unless it is asked for", () => {
  const { modules, notes } = select({});
  expect(modules).not.toContain("e1000e");
  expect(modules).not.toContain("af_packet");
  expect(notes).not.toContain("DHCP");
  const asked = select({ network: true });
  expect(asked.modules).toEqual(expect.arrayContaining(["e1000e", "af_packet"]));
  expect(asked.notes).toContain("The image can't ask for addresses by DHCP, as no busybox is installed: ");
  expect(asked.notes).not.toContain("--network");
});

test("parameters and a root on the network ask for it, which is told", () => {
  const words = select({ bootWords: "ip=bond0:dhcp bond=bond0:eth0,eth1" });
  expect(words.modules).toEqual(expect.arrayContaining(["e1000e", "bonding"]));
  expect(words.notes).toContain("what --network brings goes in, for ip=bond0:dhcp.");
  const nfs = { "proc/self/mountinfo": "26 1 0:30 / / rw - nfs4 h:/x rw,vers=4.2\n" };
  const root = select({}, nfs);
  expect(root.modules).toEqual(expect.arrayContaining(["e1000e", "nfsv4", "af_packet"]));
  expect(root.notes).toContain("what --network brings goes in, for the root of this machine.");
});

test("of crypttab and mdadm.conf what is below this machine's root, by UUID or by the name that it has now", () => {
  const luks = "0123456789abcdef0123456789abcdef";
  const files: Files = {
    ...virtual("md0", "9:0", ["sda", "sdb"], {
      "md/level": "raid1\n",
      "md/uuid": "11111111:22222222:33333333:44444444\n",
    }),
    ...virtual("dm-0", "253:0", ["md0"], { "dm/name": "clear\n", "dm/uuid": `CRYPT-LUKS2-${luks}-clear\n` }),
    ...virtual("dm-1", "253:1", ["dm-0"], { "dm/name": "inner\n", "dm/uuid": "CRYPT-PLAIN-inner\n" }),
    "proc/self/mountinfo": "26 1 253:1 / / rw - ext4 /dev/mapper/inner rw\n",
    "etc/crypttab": `other UUID=${luks} none luks\ninner /dev/mapper/clear none plain\ndata UUID=ffff none luks\n`,
    "etc/mdadm/mdadm.conf":
      "ARRAY /dev/md/a UUID=11111111:22222222:33333333:44444444\nARRAY /dev/md/b UUID=55555555:22222222:33333333:44444444\n",
  };
  for (const program of ["mdadm", "cryptsetup"]) files[`sbin/${program}`] = makeElf({}) as unknown as string;
  const root = new RootTree(temporaryTree({ ...MACHINE, ...files }));
  const made = new Map(
    selectParts(SETTINGS, root, undefined)
      .parts.flatMap((part) => part.made ?? [])
      .map(({ to, data }) => [to, Buffer.from(data).toString()]),
  );
  expect(made.get("/etc/crypttab")).toBe(
    `other UUID=${luks} none luks\ninner /dev/mapper/clear none plain\n`,
  );
  expect(made.get("/etc/mdadm/mdadm.conf")).toBe(
    "ARRAY /dev/md/a UUID=11111111:22222222:33333333:44444444\n",
  );
});

const kernelOf = (release: string): ChosenKernel => ({
  release,
  modules: undefined,
  config: undefined,
  notes: [],
});

test("what the running kernel has as modules another may have built in: only the running one must have it", () => {
  const root = new RootTree(temporaryTree(MACHINE));
  const disks = (release: string) =>
    selectParts(SETTINGS, root, kernelOf(release)).parts.find(
      ({ why }) => why === "the root of this machine",
    );
  expect(disks(uname())).toMatchObject({ modules: ["ahci"] });
  expect(disks(uname())?.modulesExpected).toBeUndefined();
  expect(disks("another")?.modules ?? []).toEqual([]);
  expect(disks("another")).toMatchObject({ modulesExpected: ["ahci"] });
});

test("iSCSI brings this machine's name for it, but not into an image for any machine", () => {
  const name = "etc/iscsi/initiatorname.iscsi";
  const files = { "usr/sbin/iscsistart": makeElf({}), [name]: "InitiatorName=iqn.x:y\n" };
  const bootWords = "root=iscsi:10.0.0.1::::iqn.a:b";
  expect(select({ bootWords }, files).files).toContain(`/${name}`);
  expect(select({ bootWords, selection: "generic" }, files).files).not.toContain(`/${name}`);
  expect(select({}, files).files).not.toContain(`/${name}`);
});
