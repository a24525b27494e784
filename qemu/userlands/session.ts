/** A userland booted by rdinit: its image made as a user makes one, a login on the serial console, commands. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT, run } from "../host.ts";
import { imagesDir } from "../images.ts";
import { stockKernel } from "../kernel.ts";
import { type Machine, startMachine } from "../machine.ts";
import { makeDisksInGuest } from "../maker.ts";
import { userlandDisks } from "./disks.ts";
import { USERLAND } from "./etc.ts";
import { USERLANDS, type UserlandName } from "./table.ts";
import { unpackTree, userlandTree } from "./trees.ts";

/** How long a boot may take on a busy machine, and a machine at most. */
export const BOOT_MS = 300_000;
export const MACHINE_MS = 420_000;

/** For a test of one boot, which makes the disks first when they are not there yet. */
export const USERLAND_TEST_MS = MACHINE_MS + 300_000;

/** How long a command at the prompt may take. */
const COMMAND_MS = 60_000;

/**
 * Starts the userland under the distribution's kernel, its root named as Debian's boot loader names it.
 * @param more kernel parameters besides
 */
export async function startUserland(name: UserlandName, more = ""): Promise<Machine> {
  const kernel = await stockKernel();
  const tree = await userlandTree(name);
  const disks = await makeDisksInGuest(userlandDisks(name, tree));
  return startMachine({
    name: `debian-${name}`,
    kernel: kernel.vmlinuz,
    initrd: await userlandImage(name, tree, kernel.version),
    append: `root=/dev/mapper/${USERLAND.mapping} ro ${more}`,
    disks: disks.map((file) => ({ file })),
    memory_mb: 768,
    timeout_ms: MACHINE_MS,
  });
}

/** Waits for the login on ttyS0, answering the question for the passphrase before when there is one, and logs in. */
export async function logIn(machine: Machine, name: UserlandName): Promise<void> {
  const { console } = machine;
  if (USERLANDS[name].unlock === "passphrase") {
    await console.expect(/Passphrase for .*: /, BOOT_MS);
    console.send(`${USERLAND.passphrase}\n`);
  }
  await logInHere(machine);
}

/** The same where no question is asked, or another answers it. */
export async function logInHere({ console }: Machine): Promise<void> {
  await console.expect(`${USERLAND.hostname} login: `, BOOT_MS);
  console.send("root\n");
  await console.expect(`root@${USERLAND.hostname}:~# `, COMMAND_MS);
  // From here on the console holds what commands print, and nothing else.
  console.send("stty -echo; PS1=; dmesg -n 1; echo ready\n");
  await console.expect(/^ready$/m, COMMAND_MS);
}

/** Types a command; what it printed, errors too, without the line end at its end. Its status is not looked at. */
export async function command(machine: Machine, line: string): Promise<string> {
  machine.console.send(`echo 'BEGIN'; ${line} 2>&1; echo 'END'\n`);
  const [, printed = ""] = await machine.console.expect(/^BEGIN\n([^]*?)^END\n/m, COMMAND_MS);
  return printed.trimEnd();
}

/** What is the same in every userland that came up whole, by the name of what it is about. */
export const FACTS: Readonly<Record<string, string>> = {
  root: `${USERLAND.mapping} crypt ext4`,
  access: "rw",
  boot: `${USERLAND.volumes.boot} lvm ext4`,
  swap: `${USERLAND.volumes.swap} lvm swap`,
  array: "2",
  complaints: "",
};

/** Asks for all of FACTS, and for the name of process 1. */
export async function facts(machine: Machine): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const [name, line] of Object.entries(QUESTIONS)) answers[name] = await command(machine, line);
  return answers;
}

/** What lsblk says it knows from udev, so udev's own database is looked at as well. */
const device = (source: string): string => `lsblk -ndro NAME,TYPE,FSTYPE ${source}`;

const QUESTIONS: Readonly<Record<string, string>> = {
  init: "cat /proc/1/comm",
  root: device("$(findmnt -nro SOURCE /)"),
  access: "findmnt -nro OPTIONS / | cut -d, -f1",
  boot: device("$(findmnt -nro SOURCE /boot)"),
  swap: device("$(swapon --noheadings --show=NAME)"),
  array: "mdadm --detail /dev/md/0 | sed -n 's/.*Active Devices : //p'",
  // What rdinit said as a warning, or worse.
  complaints: "dmesg --level=emerg,alert,crit,err,warn | grep rdinit:",
};

/** Types `line`, which shall power the machine off; what the console said until then, and how long it took. */
export async function powerOff(
  machine: Machine,
  line: string,
): Promise<{ readonly text: string; readonly took_ms: number }> {
  const before = machine.console.text.length;
  const started = performance.now();
  // Its last words are wanted as well.
  machine.console.send(`dmesg -n 7; ${line}\n`);
  await machine.expectEnd("powered off");
  return { text: machine.console.text.slice(before), took_ms: performance.now() - started };
}

/** The image of a userland with the tools of its disks; its path. */
export async function userlandImage(name: UserlandName, tree: string, version: string): Promise<string> {
  const drivers = ["--drivers", "virtio_pci virtio_blk ext4"];
  const tools = ["--tools", "mdadm lvm cryptsetup fsck.ext4"];
  return treeImage(`debian-${name}`, tree, ["--kernel", version, ...drivers, ...tools]);
}

/** What `rdinit image --root` makes of a tree, with these further words; its path, named NAME. */
export async function treeImage(name: string, tree: string, words: readonly string[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "rdinit-userland-"));
  const file = join(imagesDir(), `${name}.img`);
  try {
    await unpackTree(tree, join(dir, "root"));
    await run([
      join(PROJECT, "build/rdinit"),
      ...["image", "--root", join(dir, "root"), ...words, "--output", file],
    ]);
    return file;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
