/** Each tool that has a recipe, run in a chroot of an unpacked image on what it is for. */

import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyboardPart } from "../../src/image/etc/keyboard.ts";
import { toolParts } from "../../src/image/recipes/index.ts";
import { RootTree } from "../../src/image/root-tree.ts";
import { Chroot, existingHere } from "../fixtures/chroot.ts";
import { enterImage } from "../fixtures/entered-image.ts";
import { OverlayTree } from "../fixtures/overlay-tree.ts";
import { md1Superblock } from "../fixtures/superblocks/md.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const blocker = Chroot.blocker();
if (blocker !== undefined) console.log(`The tools of an image are not run: ${blocker}`);
const described = describe.skipIf(blocker !== undefined);

const TOOLS: readonly string[] = [
  ...["mdadm", "lvm", "dmsetup", "cryptsetup", "veritysetup", "integritysetup"],
  ...["fsck", "fsck.ext4", "fsck.xfs", "fsck.btrfs", "fsck.f2fs", "fsck.vfat", "fsck.exfat"],
  ...["blkid", "mount", "ip", "bash", "tput", "loadkeys", "busybox", "sh"],
];

/** What the root lacks of a machine with RAID, ssh and a German keyboard. */
const CONFIGURATION = {
  "/etc/mdadm/mdadm.conf":
    "HOMEHOST none\nMAILADDR root\nARRAY /dev/md/a UUID=00112233:44556677:8899aabb:ccddeeff\n",
  "/etc/vconsole.conf": "KEYMAP=test-de\n",
  "/usr/share/keymaps/i386/qwertz/test-de.kmap.gz": Bun.gzipSync('include "swap"\nkeycode 40 = adiaeresis\n'),
  "/usr/share/keymaps/i386/include/swap.inc": "keycode 21 = z\nkeycode 44 = y\n",
};

const KEY = "eight by eight is sixty-four";
const place = temporaryDirectory();
const CONTROLS = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
let root: Chroot;

/** An empty disk in the chroot, and what a program of this machine makes of it. */
function makeDisk(name: string, size_MiB: number, maker: readonly string[]): void {
  const path = join(root.directory, "tmp", name);
  writeFileSync(path, "");
  truncateSync(path, size_MiB * 1024 * 1024);
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  const made = Bun.spawnSync([...maker, path], { env, stdout: "pipe", stderr: "pipe" });
  if (!made.success) throw new Error(`${maker.join(" ")}: ${made.stderr.toString()}`);
}

const DISKS: readonly (readonly [name: string, size_MiB: number, maker: readonly string[]])[] = [
  ["ext4", 8, ["mkfs.ext4", "-q"]],
  ["xfs", 300, ["mkfs.xfs", "-q"]],
  ["btrfs", 128, ["mkfs.btrfs", "-q"]],
  ["f2fs", 64, ["mkfs.f2fs"]],
  ["vfat", 8, ["mkfs.vfat"]],
  ["exfat", 8, ["mkfs.exfat"]],
];

const MEMBER = {
  offset: 4096,
  uuid: Uint8Array.from({ length: 16 }, (_, at) => 16 * at + 1),
  name: "host:a",
  device_uuid: new Uint8Array(16).fill(7),
  level: 1,
  raid_disks: 2,
  events: 5n,
  max_dev: 2,
};

/** A token as systemd-cryptenroll(1) writes it, with no key in it: there is no chip here. */
const TPM2_TOKEN = JSON.stringify({
  type: "systemd-tpm2",
  keyslots: ["0"],
  "tpm2-blob": "AAAA",
  "tpm2-pcrs": [7],
  "tpm2-pcr-bank": "sha256",
  "tpm2-primary-alg": "ecc",
  "tpm2-policy-hash": "00",
  "tpm2-pin": false,
});

/** Files that this machine has, an image not, and its tools can do without. */
const DISPENSABLE: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^\/etc\/ld\.so\.(?:cache|preload)$/, why: "ld.so finds all libraries without" },
  { path: /^\/usr\/(?:lib|share)\/locale\b/, why: "messages come in English" },
  { path: /^\/(?:dev|proc|sys|run|tmp|var)\//, why: "it is the running system's, not the root's" },
  { path: /^\/etc\/localtime$/, why: "times come in UTC" },
  { path: /^\/etc\/(?:passwd|group|nsswitch\.conf)$/, why: "bash can do without a user's name" },
  { path: /^\/(?:root\/|etc\/bash\.bashrc$|etc\/profile)/, why: "the settings of people" },
  { path: /^\/etc\/fstab$/, why: "it is no part of a tool: etc/tables.ts" },
  { path: /^\/(?:etc|usr\/share)\/terminfo$/, why: "terminals are in /lib/terminfo" },
  {
    path: /\/libcryptsetup-token-systemd-(?:tpm2|fido2|pkcs11)\.so$/,
    why: "what these open in turn is not installed either",
  },
  { path: /^\/etc\/hosts$/, why: "addresses are given as numbers" },
  { path: /^\/(?:usr\/)?s?bin\/(?:sed|grep|tr|id|ls|dircolors|lesspipe)$/, why: "looked for, not needed" },
];

interface Run {
  readonly what: string;
  readonly argv: readonly string[];
  readonly says: RegExp;
  readonly status?: number;
}

const luks = (type: string, file: string, ...options: readonly string[]): readonly string[] => [
  ...["cryptsetup", "luksFormat", "--batch-mode", "--type", type, "--key-file", "/tmp/key", ...options],
  `/tmp/${file}`,
];
const open = (file: string): readonly string[] => [
  ...["cryptsetup", "open", "--test-passphrase", "--verbose", "--key-file", "/tmp/key", `/tmp/${file}`],
];
const SHORT = ["--pbkdf-force-iterations", "1000"];
const ARGON2 = ["--pbkdf", "argon2id", "--pbkdf-memory", "65536", "--pbkdf-force-iterations", "4"];

// Those further down use what those above have made.
const RUNS: readonly Run[] = [
  { what: "cryptsetup makes LUKS2 with argon2id", argv: luks("luks2", "luks2", ...ARGON2), says: /^$/ },
  { what: "cryptsetup opens it", argv: open("luks2"), says: /Key slot 0 unlocked/ },
  {
    what: "cryptsetup makes LUKS1 with whirlpool, which OpenSSL has in its legacy module",
    argv: luks("luks1", "whirlpool", "--hash", "whirlpool", ...SHORT),
    says: /^$/,
  },
  { what: "cryptsetup opens that", argv: open("whirlpool"), says: /Key slot 0 unlocked/ },
  {
    what: "cryptsetup makes LUKS1 with ripemd160",
    argv: luks("luks1", "ripemd160", "--hash", "ripemd160", ...SHORT),
    says: /^$/,
  },
  { what: "cryptsetup opens that too", argv: open("ripemd160"), says: /Key slot 0 unlocked/ },
  {
    what: "cryptsetup knows a wrong key",
    argv: ["cryptsetup", "open", "--test-passphrase", "--key-file", "/tmp/md", "/tmp/luks2"],
    says: /No key available/,
    status: 2,
  },
  {
    what: "cryptsetup tries the plugins for tokens",
    argv: [
      "sh",
      "-c",
      "cryptsetup token import --json-file /tmp/token /tmp/luks2 && cryptsetup open --test-passphrase --token-only /tmp/luks2",
    ],
    says: /^(?!.*error while loading)/s,
    status: 1,
  },
  {
    what: "veritysetup makes a hash tree",
    argv: ["veritysetup", "format", "/tmp/ext4", "/tmp/verity"],
    says: /Root hash:\s+[0-9a-f]{64}/,
  },
  { what: "integritysetup", argv: ["integritysetup", "--version"], says: /^integritysetup \d/ },
  {
    what: "mdadm examines a member",
    argv: ["mdadm", "--examine", "/tmp/md"],
    says: /Array UUID : 01112131:41516171/,
  },
  {
    what: "mdadm reads its configuration",
    argv: ["mdadm", "--examine", "--scan", "--verbose", "/tmp/md"],
    says: /ARRAY .*level=raid1 metadata=1.2/,
  },
  { what: "lvm", argv: ["lvm", "version"], says: /LVM version: / },
  {
    what: "lvm looks for volumes",
    argv: ["lvm", "pvs", "--readonly"],
    says: /^(?!.*(?:rror|No such file))/s,
  },
  {
    what: "lvm finds its checker of thin pools",
    argv: [
      "sh",
      "-c",
      'eval "$(lvm lvmconfig --type full global/thin_check_executable)" && "$thin_check_executable" -V',
    ],
    says: /^\d+\.\d+/,
  },
  { what: "dmsetup", argv: ["dmsetup", "--help"], says: /dmsetup/i },
  {
    what: "fsck calls the checker of a type",
    argv: ["fsck", "-t", "ext4", "/tmp/ext4", "-fn"],
    says: /ext4: 11\/\d+ files/,
  },
  { what: "e2fsck repairs", argv: ["e2fsck", "-fy", "/tmp/ext4"], says: /Pass 5: .*\n.*ext4: 11\/\d+ files/ },
  { what: "fsck.ext3 is e2fsck", argv: ["fsck.ext3", "-V"], says: /^e2fsck / },
  { what: "fsck.xfs has nothing to do", argv: ["fsck.xfs", "/tmp/xfs"], says: /xfs_repair\(8\)/ },
  {
    // Under dash, which always has a PS1, it takes itself for interactive and never does.
    what: "fsck.xfs repairs when it is forced",
    argv: ["bash", "/usr/sbin/fsck.xfs", "-f", "/tmp/xfs"],
    says: /Phase 7/,
  },
  { what: "xfs_repair looks", argv: ["xfs_repair", "-n", "/tmp/xfs"], says: /Phase 7/ },
  { what: "fsck.btrfs has nothing to do", argv: ["fsck.btrfs", "/tmp/btrfs"], says: /btrfs\(8\)/ },
  { what: "btrfs checks", argv: ["btrfs", "check", "/tmp/btrfs"], says: /no error found/ },
  { what: "fsck.f2fs checks", argv: ["fsck.f2fs", "/tmp/f2fs"], says: /\[Ok\.\.\][^]*Done/ },
  {
    what: "fsck.vfat checks, with its code page",
    argv: ["fsck.vfat", "-n", "/tmp/vfat"],
    says: /^(?!.*codepage)[^]*vfat: 0 files/is,
  },
  { what: "fsck.exfat checks", argv: ["fsck.exfat", "-n", "/tmp/exfat"], says: /clean/ },
  { what: "blkid knows a filesystem", argv: ["blkid", "-p", "/tmp/btrfs"], says: /TYPE="btrfs"/ },
  { what: "mount", argv: ["mount", "--version"], says: /^mount from util-linux/ },
  { what: "ip", argv: ["ip", "link", "show", "lo"], says: /LOOPBACK.* group default/ },
  { what: "bash", argv: ["bash", "-c", "echo $BASH_VERSION"], says: /^\d/ },
  ...["linux", "vt100", "vt220", "xterm-256color", "screen", "dumb"].map((terminal) => ({
    what: `a shell knows the terminal ${terminal}`,
    argv: ["bash", "-c", `TERM=${terminal} tput cols`],
    says: /^\d+\n$/,
  })),
  {
    what: "loadkeys understands the keymap of the machine",
    argv: ["loadkeys", "--mktable", "/etc/rdinit/keymap"],
    says: /plain_map/,
  },
  { what: "busybox", argv: ["busybox", "echo", "here"], says: /^here$/m },
];

beforeAll(() => {
  if (blocker !== undefined) return;
  const tree = new OverlayTree(new RootTree("/"), CONFIGURATION);
  root = enterImage([...toolParts(tree, TOOLS), ...keyboardPart(tree)], place);
  const put = (name: string, data: string | Uint8Array) =>
    writeFileSync(join(root.directory, "tmp", name), data);
  put("key", KEY);
  put("token", TPM2_TOKEN);
  for (const name of ["luks2", "whirlpool", "ripemd160", "verity"]) makeDisk(name, 24, ["true"]);
  for (const [name, size_MiB, maker] of DISKS) makeDisk(name, size_MiB, maker);
  put("md", Buffer.concat([new Uint8Array(4096), md1Superblock(MEMBER), new Uint8Array(2 * 1024 * 1024)]));
}, 120_000);

described("in the unpacked image", () => {
  for (const { what, argv, says, status = 0 } of RUNS)
    test(
      what,
      () => {
        const ended = root.run(argv);
        expect(ended.output).toMatch(says);
        expect(ended.status).toBe(status);
        expect(
          existingHere(ended.missed).filter((path) => !DISPENSABLE.some((one) => one.path.test(path))),
        ).toEqual([]);
      },
      60_000,
    );
});

described("without recipes", () => {
  const controls = [
    {
      what: "cryptsetup does not know whirlpool, and the look for missed files shows why",
      program: "/usr/sbin/cryptsetup",
      argv: ["cryptsetup", "open", "--test-passphrase", "--key-file", "/tmp/key", "/tmp/whirlpool"],
      missed: "/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so",
    },
    {
      what: "fsck.vfat has no code page",
      program: "/usr/sbin/fsck.vfat",
      argv: ["fsck.vfat", "-n", "/tmp/vfat"],
      missed: "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
    },
    {
      what: "no terminal is known",
      program: "/usr/bin/tput",
      argv: ["tput", "cols"],
      missed: "/lib/terminfo",
    },
  ];
  for (const [at, { what, program, argv, missed }] of controls.entries())
    test(what, () => {
      const bare = enterImage([{ why: "a control", programs: [program] }], CONTROLS[at] ?? "");
      for (const name of ["key", "whirlpool", "vfat"])
        cpSync(join(root.directory, "tmp", name), join(bare.directory, "tmp", name));
      const ended = bare.run(argv);
      const good = root.run(argv);
      expect(good.status).toBe(0);
      expect([ended.status, ended.output]).not.toEqual([good.status, good.output]);
      if (bare.strace) expect(existingHere(ended.missed)).toContain(missed);
    });
});
