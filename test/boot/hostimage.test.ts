/** `--host` examines a machine that runs: a guest whose root is ext4 on LVM on RAID1, and others beside it. */

import { beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { writeCpio } from "../../src/image/cpio.ts";
import type { HostNeeds } from "../../src/image/host/examine.ts";
import { DONE, startGuest } from "../fixtures/machines/guest.ts";
import { makeKernel, makeStub } from "../fixtures/pe.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const TIMEOUT_MS = 300_000;

const SCRIPT = `
# Whoever has a folder for its root examines that; programs find their libraries where they were.
enter() {
  for folder in dev lib lib64 proc run sys usr; do
    [ -d /$folder ] || continue
    mkdir -p $1/$folder
    mount --bind /$folder $1/$folder
  done
}
for root in /mnt/root /mnt/pool /mnt/secret; do
  enter $root
  echo "ROOT $root"
  chroot $root /usr/local/sbin/examine
done
chroot /mnt/root /usr/local/sbin/rdinit image --host --network --verbose --output /run/image
echo "LISTED"
chroot /mnt/root /usr/local/sbin/rdinit list /run/image
uki() {
  rdinit uki --linux /mnt/share/vmlinuz --stub /mnt/share/stub --os-release ID=x --initrd /mnt/share/secret.cpio -o /mnt/stick/x.efi
  printf "\\nUKI\\n"
}
echo "OPEN"
uki
stick=$(grep " /mnt/stick " /proc/mounts | cut -d" " -f1)
umount /mnt/stick
mount -t vfat -o umask=0077 $stick /mnt/stick
echo "CLOSED"
uki
mkdir /run/memory
mount -t tmpfs memory /run/memory
enter /run/memory
echo "ROOT /run/memory"
chroot /run/memory /usr/local/sbin/examine
`;

interface Answer extends HostNeeds {
  readonly sentences: readonly string[];
}

const answers = new Map<string, Answer | string>();
let said = "";

beforeAll(async () => {
  const dir = temporaryDirectory();
  const secret = { type: "file", path: "key", mode: 0o400, data: Buffer.from("x") } as const;
  mkdirSync(join(dir, "share"));
  writeFileSync(join(dir, "share/secret.cpio"), Buffer.concat([...writeCpio([secret])]));
  writeFileSync(join(dir, "share/vmlinuz"), makeKernel({ release: "6.1.0-test" }));
  writeFileSync(join(dir, "share/stub"), makeStub([]));
  const program = join(dir, "examine");
  const source = join(import.meta.dir, "../fixtures/machines/examine.ts");
  await run([process.execPath, "build", source, "--compile", "--outfile", program], { cwd: dir });
  const machine = await startGuest({
    name: "hostimage",
    dir,
    script: SCRIPT,
    programs: [program, join(PROJECT, "build/rdinit")],
    memory_mb: 1536,
    timeout_ms: TIMEOUT_MS,
  });
  await machine.expectEnd("powered off");
  if (!machine.console.text.includes(DONE))
    throw new Error(machine.console.failure("The guest did not come to its end"));
  said = machine.console.text;
  for (const [, root = "", kind, words = ""] of said.matchAll(
    /^ROOT (\S+)\n(?:.*\n)*?(NEEDS|REFUSED) (.*)$/gm,
  ))
    answers.set(root, kind === "NEEDS" ? (JSON.parse(words) as Answer) : words);
}, TIMEOUT_MS);

function answer(root: string): Answer {
  const found = answers.get(root);
  if (found === undefined || typeof found === "string") throw new Error(`${root}: ${found ?? "no answer"}`);
  return found;
}

test("ext4 on LVM on RAID1 on virtio-blk", () => {
  const { sentences, part, tools, keyboards } = answer("/mnt/root");
  expect(sentences).toEqual([
    "/ is ext4 on /dev/mapper/bootgroup-boot--root: LVM on md0 (raid1) on vda, vdb (virtio_blk, virtio_pci)",
  ]);
  expect(part.modules).toEqual(["ext4", "dm_mod", "md_mod", "raid1", "virtio_blk", "virtio_pci"]);
  expect(tools.map(({ name }) => name)).toEqual(["fsck.ext4", "lvm", "mdadm"]);
  expect(keyboards.modulesIfThere).toEqual(
    expect.arrayContaining(["virtio_input", "usbhid", "hid_generic", "xhci_pci", "i8042", "atkbd"]),
  );
});

test("btrfs on NVMe and virtio-scsi", () => {
  const { sentences, part } = answer("/mnt/pool");
  expect(sentences).toEqual(["/ is btrfs on nvme0n1p1 (nvme), sda (sd_mod, virtio_scsi, virtio_pci)"]);
  expect(part.modules).toEqual(["btrfs", "nvme", "sd_mod", "virtio_scsi", "virtio_pci"]);
});

test("ext4 in LUKS2 on SATA", () => {
  const { sentences, part, tools } = answer("/mnt/secret");
  expect(sentences).toEqual(["/ is ext4 on /dev/mapper/clear: LUKS2 on sdb (sd_mod, ahci)"]);
  expect(part.modules).toEqual(["ext4", "dm_mod", "dm_crypt", "sd_mod", "ahci"]);
  expect(part.modulesIfThere).toEqual(expect.arrayContaining(["crypto-xts", "aesni_intel"]));
  expect(tools.map(({ name }) => name)).toContain("cryptsetup");
});

test("--network brings the drivers of its cards, and what makes its VLAN and its bridge", () => {
  for (const sentence of [
    "The interface br0 is made by bridge.",
    "The interface eth0 is driven by virtio_net.",
    "The interface eth0.5 is made by 8021q.",
    "The interface eth1 is driven by e1000e.",
    "rdinit image: The image can't ask for addresses by DHCP, as no busybox is installed: ",
  ])
    expect(said).toContain(sentence);
  const list = said.slice(said.indexOf("LISTED"));
  for (const module of ["virtio_net", "e1000e", "8021q", "bridge"])
    expect(list).toMatch(new RegExp(`/${module}\\.ko$`, "m"));
});

test("rdinit image --host has all of it in the image", () => {
  expect(said).toContain(
    "/ is ext4 on /dev/mapper/bootgroup-boot--root: LVM on md0 (raid1) on vda, vdb (virtio_blk, virtio_pci).",
  );
  const list = said.slice(said.indexOf("LISTED"));
  const modules = new Set(
    [...list.matchAll(/\/([\w-]+)\.ko$/gm)].map(([, name = ""]) => name.replaceAll("-", "_")),
  );
  const wanted = [
    "virtio_blk",
    "virtio_pci",
    "raid1",
    "md_mod",
    "dm_mod",
    "ext4",
    "crc32c_generic",
    "usbhid",
  ];
  expect(wanted.filter((name) => !modules.has(name))).toEqual([]);
  expect(["nvme", "ahci", "btrfs", "dm_crypt"].filter((name) => modules.has(name))).toEqual([]);
  for (const tool of ["mdadm", "lvm", "fsck.ext4"]) expect(list).toMatch(new RegExp(`sbin/${tool}\\b`));
  expect(list).not.toContain("sbin/cryptsetup");
});

test("a UKI with a key on a vfat that everybody can read is told", () => {
  const [, open = "", closed = ""] = said.split(/^(?:OPEN|CLOSED)\n/m);
  expect(open).toContain(
    "rdinit uki: /mnt/stick/x.efi can be read by others, and holds what nobody but its owner may read: /key. " +
      "Where the filesystem keeps no modes, as vfat, mount it with umask=0077.\n",
  );
  expect(closed).toContain("UKI\n");
  expect(closed).not.toContain("can be read by others");
});

test("a root in memory is a sentence", () => {
  expect(answers.get("/run/memory")).toBe(
    "This machine's root is a tmpfs, which is in memory, so --host can't tell which drivers it needs. " +
      "Use --generic or --drivers.",
  );
});
