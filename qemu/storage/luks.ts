/** Disks with encrypted volumes, made in a guest: keys and headers on other disks, several volumes for one passphrase. */

import type { MakerRecipe } from "../maker.ts";
import { STORAGE } from "./basic.ts";
import type { Tree } from "../tree.ts";

/** Identifiers of what the recipes make, besides those of STORAGE. */
export const LUKS = {
  passphrase: STORAGE.passphrase,
  /** The volume with the root. */
  root: STORAGE.luks,
  /** The other volume, and the filesystem in it. */
  other: "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
  other_label: "otherfs",
  /** The filesystem that holds key.bin and header.img. */
  keys_label: "keys",
  keys: "0badcafe-1234-4567-89ab-cdef01234567",
  /** What key.bin holds. */
  key: "the key of a file\n",
} as const;

/** Cheap key derivation: the guest is slow, and the passphrase is no secret. */
const FORMAT = "cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key";

const PREPARE = [
  `printf %s '${LUKS.passphrase}' >/tmp/key`,
  `printf '${LUKS.key.replace("\n", "\\n")}' >/tmp/key.bin`,
];

const FILL_ROOT = [
  `mkfs.ext4 -q -F -U ${STORAGE.filesystem} -L ${STORAGE.label} /dev/mapper/clear`,
  "mount -t ext4 /dev/mapper/clear /mnt",
  "cp -a /tree/. /mnt/",
  "umount /mnt",
  "cryptsetup close clear",
];

const fillKeys = (...files: readonly string[]) => [
  `mkfs.ext4 -q -F -U ${LUKS.keys} -L ${LUKS.keys_label} /dev/vdb`,
  "mount -t ext4 /dev/vdb /mnt",
  ...files.map((file) => `cp ${file} /mnt/`),
  "umount /mnt",
];

/** The root in a volume that a passphrase and key.bin open; key.bin on the second disk. */
export function luksWithKey(tree: Tree): MakerRecipe {
  return recipe("luks-key", tree, [
    `${FORMAT} --type luks2 --uuid ${LUKS.root} /dev/vda`,
    "cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key /dev/vda /tmp/key.bin",
    "cryptsetup open --key-file /tmp/key /dev/vda clear",
    ...FILL_ROOT,
    ...fillKeys("/tmp/key.bin"),
  ]);
}

/** The root in a volume whose header is header.img on the second disk, and which key.bin beside that opens too. */
export function luksWithHeader(tree: Tree): MakerRecipe {
  return recipe("luks-header", tree, [
    "dd if=/dev/zero of=/tmp/header.img bs=1M count=4",
    `${FORMAT} --type luks2 --luks2-metadata-size 16k --luks2-keyslots-size 1m \\`,
    `  --uuid ${LUKS.root} --header /tmp/header.img /dev/vda`,
    "cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key \\",
    "  --header /tmp/header.img /dev/vda /tmp/key.bin",
    "cryptsetup open --key-file /tmp/key --header /tmp/header.img /dev/vda clear",
    ...FILL_ROOT,
    ...fillKeys("/tmp/header.img", "/tmp/key.bin"),
  ]);
}

/** Two volumes with the same passphrase: the root in one, an ext4 in the other. */
export function twoLuks(tree: Tree): MakerRecipe {
  return recipe("luks-two", tree, [
    `${FORMAT} --type luks2 --uuid ${LUKS.root} /dev/vda`,
    `${FORMAT} --type luks1 --uuid ${LUKS.other} /dev/vdb`,
    "cryptsetup open --key-file /tmp/key /dev/vdb clear",
    `mkfs.ext4 -q -F -L ${LUKS.other_label} /dev/mapper/clear`,
    "cryptsetup close clear",
    "cryptsetup open --key-file /tmp/key /dev/vda clear",
    ...FILL_ROOT,
  ]);
}

/** What opens the root of twoSecrets(): bytes that no line could hold. */
export const BINARY_KEY = Uint8Array.of(0, 10, 13, 255, 0, 4, 3, 127, 10, 1, 200, 10);

/** Two volumes that no one key opens: the root by BINARY_KEY, an ext4 by the passphrase. */
export function twoSecrets(tree: Tree): MakerRecipe {
  const octal = [...BINARY_KEY].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return recipe("luks-two-secrets", tree, [
    `${FORMAT} --type luks2 --uuid ${LUKS.other} /dev/vdb`,
    "cryptsetup open --key-file /tmp/key /dev/vdb clear",
    `mkfs.ext4 -q -F -L ${LUKS.other_label} /dev/mapper/clear`,
    "cryptsetup close clear",
    `printf '${octal}' >/tmp/key`,
    `${FORMAT} --type luks2 --uuid ${LUKS.root} /dev/vda`,
    "cryptsetup open --key-file /tmp/key /dev/vda clear",
    ...FILL_ROOT,
  ]);
}

/** What one key of luksOfArgon() takes to be derived, in KiB. */
export const ARGON_KIB = 256 * 1024;

/** The root in a volume whose key takes real memory: argon2id with four threads. */
export function luksOfArgon(tree: Tree): MakerRecipe {
  // The C library opens it when a thread of cryptsetup ends.
  const [name, from] = ["libgcc_s.so.1", "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"];
  const made = recipe(
    "luks-argon",
    [...tree, { path: `/${name}`, kind: "file", from }],
    [
      `mkdir -p /usr/lib && mv /tree/${name} /usr/lib/`,
      "cryptsetup luksFormat -q --type luks2 --pbkdf argon2id --pbkdf-force-iterations 4 \\",
      `  --pbkdf-memory ${ARGON_KIB} --pbkdf-parallel 4 --key-file /tmp/key --uuid ${LUKS.root} /dev/vda`,
      // It takes fewer threads where there are fewer processors, and less memory where there is less.
      `cryptsetup luksDump /dev/vda | grep "Memory: *${ARGON_KIB}"`,
      'cryptsetup luksDump /dev/vda | grep "Threads: *4"',
      "cryptsetup open --key-file /tmp/key /dev/vda clear",
      ...FILL_ROOT,
    ],
  );
  return { ...made, cpus: 4 };
}

function recipe(name: string, tree: Tree, script: readonly string[]): MakerRecipe {
  const disks = ["root.img", "other.img"].map((file) => ({ name: file, size_mb: 48 }));
  return { name, disks, script: `${[...PREPARE, ...script].join("\n")}\n`, tree };
}
