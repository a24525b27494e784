/** More disks that only a guest can make: a btrfs over two of them, which takes the distribution's kernel, and encrypted swap. */

import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDir, fingerprint, withLock } from "./host.ts";
import { rdinitImage } from "./images.ts";
import { stockKernel } from "./kernel.ts";
import { startMachine } from "./machine.ts";
import type { MakerRecipe } from "./maker.ts";
import { STORAGE } from "./storage.ts";

/** The UUID of the filesystem that btrfsMirror() makes. */
export const MIRROR_UUID = "b7b74d0e-0c5f-4a55-9d2e-51c7e0b7a00b";

const DONE = "The mirror is made.";
const SIZE_MB = 160;

/** Opens the disks of btrfsMirror() when they are encrypted. */
export const MIRROR_PASSPHRASE = "battery staple";

export interface Mirror {
  /** Each of the disks is a LUKS container of its own, all with MIRROR_PASSPHRASE. */
  readonly encrypted?: boolean;
}

/**
 * A btrfs over two disks, everything on both (raid1), with `init` as its /sbin/init; the two files, in the cache,
 * which must not be written to. Throws Error with the guest's console when it can't be made.
 */
export async function btrfsMirror(
  init: string,
  { encrypted = false }: Mirror = {},
): Promise<[string, string]> {
  const kernel = await stockKernel();
  const name = encrypted ? "btrfs-luks-mirror" : "btrfs-mirror";
  const script = mirrorScript(encrypted);
  const dir = join(cacheDir(), `disks-${name}-${fingerprint(kernel.version, script, readFileSync(init))}`);
  return withLock(`disks-${name}`, async () => {
    if (!existsSync(dir)) {
      const half = `${dir}.part`;
      rmSync(half, { recursive: true, force: true });
      mkdirSync(half);
      await makeMirror(`maker-${name}`, filesIn(half), script, init);
      renameSync(half, dir);
    }
    return filesIn(dir);
  });
}

/** One disk, a LUKS container with swap in it, that takes the memory of a small machine. */
export function luksSwap(uuid: string): MakerRecipe {
  const script = [
    `printf %s '${STORAGE.passphrase}' >/tmp/key`,
    `cryptsetup luksFormat -q --type luks2 --uuid ${STORAGE.luks} \\`,
    "  --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key /dev/vda",
    "cryptsetup open --key-file /tmp/key /dev/vda clear",
    // Not the applet of that name, which gives no UUID.
    `/tools/mkswap -U ${uuid} /dev/mapper/clear`,
    "cryptsetup close clear",
    "",
  ];
  return { name: "luks-swap", disks: [{ name: "swap.img", size_mb: 528 }], script: script.join("\n") };
}

/** A hook of rdinit itself (boot/hooks.ts), in busybox's shell. */
function mirrorScript(encrypted: boolean): string {
  const [first, second] = encrypted ? ["/dev/mapper/a", "/dev/mapper/b"] : ["/dev/vda", "/dev/vdb"];
  return [
    "#!/bin/sh -eux",
    "b=/bin/busybox",
    "export DM_DISABLE_UDEV=1",
    "until [ -b /dev/vda ] && [ -b /dev/vdb ]; do $b sleep 0.1; done",
    ...(encrypted ? [...encryption("/dev/vda", "a"), ...encryption("/dev/vdb", "b")] : []),
    `mkfs.btrfs -q -f -U ${MIRROR_UUID} -d raid1 -m raid1 ${first} ${second}`,
    "$b mkdir -p /mnt",
    `$b mount -t btrfs ${first} /mnt`,
    "for d in bin boot dev etc proc root run sbin sys tmp usr var; do $b mkdir /mnt/$d; done",
    "$b cp -p /made/init /mnt/sbin/init",
    "$b umount /mnt",
    "$b sync",
    `echo '${DONE}'`,
    "$b poweroff -f",
    "",
  ].join("\n");
}

// Cheap key derivation: the guest is slow, and the passphrase is no secret.
function encryption(disk: string, name: string): string[] {
  return [
    "$b mkdir -p /run/cryptsetup",
    `printf %s '${MIRROR_PASSPHRASE}' >/run/key`,
    `cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/key ${disk}`,
    `cryptsetup open --key-file /run/key ${disk} ${name}`,
  ];
}

async function makeMirror(
  name: string,
  files: readonly string[],
  script: string,
  init: string,
): Promise<void> {
  for (const file of files) {
    writeFileSync(file, "");
    truncateSync(file, SIZE_MB << 20);
  }
  const kernel = await stockKernel();
  const initrd = await rdinitImage({
    name,
    kernel,
    drivers: ["virtio_pci", "virtio_blk", "btrfs"],
    tools: ["mkfs.btrfs", "cryptsetup"],
    shell: true,
    files: [
      { to: "/etc/rdinit.d/mount/10-make", data: Buffer.from(script), mode: 0o755 },
      { to: "/made/init", from: init, mode: 0o755 },
    ],
  });
  const machine = await startMachine({
    name,
    kernel: kernel.vmlinuz,
    initrd,
    append: "rd.driver.pre=btrfs,dm_crypt rd.hook.timeout=0 panic=-1 rd.shell=0",
    disks: files.map((file) => ({ file, snapshot: false })),
    memory_mb: 1024,
    timeout_ms: 120_000,
  });
  await machine.ended;
  if (!machine.console.text.includes(DONE))
    throw new Error(machine.console.failure("The script that makes the mirror did not come to its end"));
}

function filesIn(dir: string): [string, string] {
  return [join(dir, "first.img"), join(dir, "second.img")];
}
