/** What `rdinit image --network` and `--ssh` build gets an address on the distribution's kernel, and is unlocked. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { freePort } from "../../qemu/network/cards.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, ROOT_UUID, TEST_MS, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { SshSession, forwardedCard, makeSshKeys, sshArguments } from "../../qemu/ssh.ts";
import { STORAGE, raid1Luks } from "../../qemu/storage/basic.ts";
import { MAKE_MS } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let kernel: Kernel;
let disk: string;

beforeAll(async () => {
  kernel = await stockKernel();
  disk = await probeDisk(dir);
}, MACHINE_MS);

test.each([
  [
    "named drivers and no rescue shell",
    "virtio-net-pci",
    ["--drivers", "virtio_pci virtio_blk ext4 virtio_net", "--without-shell"],
    false,
  ],
  [
    "a rescue shell, and a card of another kind",
    "e1000e",
    ["--drivers", "virtio_pci virtio_blk ext4 e1000e"],
    true,
  ],
])(
  "%s",
  async (_, model, options, hasShell) => {
    const initrd = join(dir, `${model}.img`);
    const build = [...options, "--network", "--modules", kernel.modules];
    await run([join(PROJECT, "build/rdinit"), "image", "-o", initrd, ...build]);
    const listed = await run([join(PROJECT, "build/rdinit"), "list", initrd]);
    expect(/bin\/sh\b/.test(listed)).toBe(hasShell);
    const machine = await startMachine({
      name: `network-image-${model}`,
      kernel: kernel.vmlinuz,
      initrd,
      append: `root=UUID=${ROOT_UUID} ip=dhcp rd.neednet=1`,
      disks: [{ file: disk, readonly: true }],
      cards: [{ link: { kind: "user" }, model }],
      timeout_ms: MACHINE_MS,
    });
    const listing = await probed(machine);
    expectSaid(machine, [/10\.0\.2\.15\/24/]);
    expect([listing.get("net.eth0.flags"), listing.get("net.eth0.ipv4")]).toEqual([
      "1002",
      "<EADDRNOTAVAIL>",
    ]);
  },
  TEST_MS,
);

test(
  "an encrypted RAID1 root is unlocked over SSH, in an image without any shell",
  async () => {
    const keys = await makeSshKeys(join(dir, "keys"));
    const initrd = join(dir, "ssh.img");
    await run([
      ...[
        join(PROJECT, "build/rdinit"),
        "image",
        "-o",
        initrd,
        "--modules",
        kernel.modules,
        "--without-shell",
      ],
      ...["--drivers", "virtio_pci virtio_blk virtio_net ext4 raid1 dm_crypt", "--tools", "mdadm cryptsetup"],
      ...["--ssh", "--authorized-keys", `${keys.private}.pub`, "--ssh-host-keys", ...keys.hostKeys],
    ]);
    const disks = await makeDisksInGuest(raid1Luks(await probeRoot()));
    const port = freePort();
    const machine = await startMachine({
      name: "network-image-ssh",
      kernel: kernel.vmlinuz,
      initrd,
      append: `root=UUID=${STORAGE.filesystem} cryptomgr.notests=1`,
      disks: disks.map((file) => ({ file })),
      arguments: forwardedCard(port),
      timeout_ms: 2 * MACHINE_MS,
    });
    await machine.console.expect(`its host key: ${keys.fingerprint} (ED25519)`, 2 * MACHINE_MS);
    const session = new SshSession(sshArguments(keys, port));
    session.send(STORAGE.passphrase);
    session.close();
    expect(await session.status()).toBe(0);
    expect(session.text).toContain("the system goes on.\n");
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe(`/dev/mapper/luks-${STORAGE.luks}`);
    expect([listing.get("net.eth0.flags"), listing.get("net.eth0.ipv4")]).toEqual([
      "1002",
      "<EADDRNOTAVAIL>",
    ]);
  },
  MAKE_MS,
);
