/** Whether an image has what its parameters ask of the network. */

import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { readOptions } from "../../../src/boot/cmdline/options.ts";
import { readImageModules } from "../../../src/check/kernel.ts";
import { checkNetwork } from "../../../src/check/network.ts";
import { ArchiveTree } from "../../../src/image/archive-tree.ts";
import { readImage } from "../../../src/image/archive.ts";
import { type CpioEntry, writeCpio } from "../../../src/image/cpio.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { makeHostKey } from "../../../src/image/ssh/make-key.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

/** An image of these files; "-> " makes a symlink. */
function image(files: Files): ArchiveTree {
  const paths = Object.keys(files).flatMap((path) =>
    path.split("/").map((_, depth, all) => all.slice(0, depth + 1).join("/")),
  );
  const entries = [...new Set(paths)].sort().map((path): CpioEntry => {
    const content = files[path];
    if (content === undefined) return { type: "directory", path, mode: 0o755 };
    if (typeof content === "string" && content.startsWith("-> "))
      return { type: "symlink", path, mode: 0o777, target: content.slice(3) };
    return { type: "file", path, mode: 0o755, data: Buffer.from(content) };
  });
  return new ArchiveTree(readImage(Buffer.concat([...writeCpio(entries)])), "x.img");
}

const M = "lib/modules/1";

/** The lists of these modules, below kernel/. */
function modules(...files: readonly string[]): Files {
  return {
    [`${M}/modules.dep`]: files.map((file) => `kernel/${file}.ko:\n`).join(""),
    ...Object.fromEntries(files.map((file) => [`${M}/kernel/${file}.ko`, "x"])),
  };
}

/** A busybox with these applets. */
function busybox(...applets: readonly string[]): Files {
  return { "bin/busybox": `[\0[[\0arping\0${applets.join("\0")}\0\0` };
}

const NIC = modules("drivers/net/virtio_net");
const DHCP = busybox("udhcpc");

function check(line: string, files: Files, machine?: RootTree): string[] {
  const tree = image(files);
  const words = parseCommandLine(line);
  const asked = { words, options: readOptions(words).options };
  return checkNetwork(tree, readImageModules(tree, undefined), asked, machine).map(
    ({ kind, sentence }) => `${kind}: ${sentence}`,
  );
}

test("nothing is missed where nobody asks for the network", () => {
  expect(check("root=LABEL=x", modules("fs/ext4"))).toEqual([]);
});

test("a card, DHCP, and modules of what is made of cards", () => {
  expect(check("ip=dhcp", { ...NIC, ...DHCP })).toEqual([]);
  expect(check("ip=dhcp", { ...NIC, "sbin/udhcpc": "x" })).toEqual([]);
  expect(check("ip=dhcp", { ...modules("fs/ext4"), ...busybox("wget") })).toEqual([
    "warning: ip=dhcp needs a network interface, and the image has no module that drives one.",
    "warning: ip=dhcp asks for addresses by DHCP, and the image has no udhcpc.",
  ]);
  expect(check("ip=10.0.0.5::10.0.0.1:24::eth0:none", NIC)).toEqual([]);
  expect(check("vlan=eth0.5:eth0 ip=eth0.5:dhcp", { ...NIC, ...DHCP })).toEqual([
    "warning: ip=eth0.5:dhcp needs the module 8021q, which is not in the image.",
  ]);
});

test("a kernel with modules may have the drivers of cards built in", () => {
  const builtin = { [`${M}/modules.builtin`]: "kernel/fs/ext4/ext4.ko\nkernel/drivers/net/virtio_net.ko\n" };
  expect(
    check("ip=dhcp root=nfs:h:/x", { ...modules("fs/nfs/nfs", "fs/nfs/nfsv4"), ...builtin, ...DHCP }),
  ).toEqual([]);
});

test("without modules the kernel has all of that built in", () => {
  expect(check("ip=dhcp root=nfs:h:/x", DHCP)).toEqual([]);
});

/** A machine with cards that these modules drive. */
function machineWith(...cards: readonly string[]): RootTree {
  return new RootTree(
    temporaryTree(
      Object.fromEntries(
        cards.flatMap((module, at) => [
          [`sys/class/net/eth${at}`, `-> ../../devices/card${at}/net/eth${at}`],
          [`sys/devices/card${at}/net/eth${at}/uevent`, ""],
          [`sys/devices/card${at}/net/eth${at}/device`, "-> ../.."],
          [`sys/devices/card${at}/driver`, `-> ../../bus/${module}`],
          [`sys/bus/${module}/module`, `-> ../../module/${module}`],
          [`sys/module/${module}/initstate`, "live"],
        ]),
      ),
    ),
  );
}

test("the cards of this machine", () => {
  expect(check("ip=dhcp", { ...NIC, ...DHCP }, machineWith("virtio_net"))).toEqual([]);
  expect(check("ip=dhcp", { ...NIC, ...DHCP }, machineWith("virtio_net", "e1000e"))).toEqual([
    "warning: ip=dhcp needs the network, and the image has no driver for eth1 (e1000e).",
  ]);
  expect(check("ip=dhcp", { ...NIC, ...DHCP }, machineWith("e1000e"))).toEqual([
    "warning: ip=dhcp needs the network, and the image has no driver for eth0 (e1000e).",
  ]);
  expect(check("root=nfs:h:/x", { ...NIC, ...DHCP }, machineWith("e1000e"))).toContain(
    "error: root=nfs:h:/x needs the network, and the image has no driver for eth0 (e1000e).",
  );
});

test("roots on the network and shares of the host", () => {
  const files = { ...NIC, ...DHCP };
  expect(check("root=nfs:h:/x", files)).toEqual([
    "error: root=nfs:h:/x needs the module nfs, which is not in the image.",
    "error: root=nfs:h:/x needs the module nfsv4 or nfsv3, which is not in the image.",
  ]);
  expect(check("root=nbd:h:x", { ...files })).toEqual([
    "error: root=nbd:h:x needs the module nbd, which is not in the image.",
    "error: root=nbd:h:x needs the program nbd-client, which is not in the image.",
  ]);
  expect(check("root=virtiofs:x", NIC)).toEqual([
    "error: root=virtiofs:x needs the module virtiofs, which is not in the image.",
  ]);
});

describe("remote unlock", () => {
  const whole = {
    ...NIC,
    ...DHCP,
    "bin/unlock": "-> /init",
    "usr/sbin/dropbear": "x",
    "etc/dropbear/dropbear_ed25519_host_key": makeHostKey(),
    "root/.ssh/authorized_keys": "ssh-ed25519 x\n",
  };
  test("with all that it takes", () => {
    expect(check("root=LABEL=x", whole)).toEqual([]);
  });
  test.each([
    ["usr/sbin/dropbear", "it has no dropbear"],
    ["etc/dropbear/dropbear_ed25519_host_key", "it has no host key in /etc/dropbear"],
    ["root/.ssh/authorized_keys", "nobody may log in, as /root/.ssh/authorized_keys is missing or empty"],
  ])("without %s", (path, fault) => {
    const { [path]: _, ...rest } = whole as Files;
    expect(check("root=LABEL=x", rest)).toEqual([`warning: It can't be unlocked over SSH: ${fault}.`]);
  });
  test("asked for by the command line, or not wanted", () => {
    expect(check("root=LABEL=x rd.ssh", { ...NIC, ...DHCP })).toEqual([
      "warning: It can't be unlocked over SSH: it was built without --ssh.",
    ]);
    expect(check("root=LABEL=x rd.ssh=0", { "bin/unlock": "-> /init", ...modules("fs/ext4") })).toEqual([]);
    expect(check("root=LABEL=x rd.ssh.shell", whole)).toEqual([
      "warning: rd.ssh.shell gives a shell over SSH, and the image has none.",
    ]);
    expect(check("root=LABEL=x rd.ssh.shell", { ...whole, "bin/sh": "x" })).toEqual([]);
  });
  test("with a key that is none, and with no way to an address", () => {
    const key = { "etc/dropbear/dropbear_ed25519_host_key": "none" };
    expect(check("", { ...whole, ...key, ...busybox("wget") })).toEqual([
      "warning: remote unlock asks for addresses by DHCP, and the image has no udhcpc.",
      "warning: It can't be unlocked over SSH: it has no host key in /etc/dropbear.",
    ]);
  });
});
