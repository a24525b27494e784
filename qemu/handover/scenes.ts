/**
 * Boots after which the real init must find what a start by the kernel alone would have given it: for `make
 * handover` and for the boot tests.
 */

import { HANDOVER_RULES, STACKED_RULES } from "./rules.ts";
import { rdinitImage } from "../images.ts";
import { builtinKernel } from "../kernel.ts";
import { makeDisksInGuest } from "../maker.ts";
import type { Card } from "../network/cards.ts";
import { type Difference, type Listing, type Rule, compare, probeRoot, referenceListing } from "../probe.ts";
import { MACHINE_MS, SHELL_PROMPT, bootRdinit, probeDisk, probed } from "../scenario.ts";
import { STORAGE, plainLuks, raid1LvmLuks } from "../storage/basic.ts";

/** A line that is typed on the console. */
interface Typed {
  /** What it answers, on the console. */
  readonly behind: string | RegExp;
  readonly line: string;
}

export interface Scene {
  readonly name: string;
  readonly stack: keyof typeof STACKS;
  /** What both command lines say behind root=. */
  readonly words: string;
  /** What rdinit's command line says in place of root=/dev/vda. */
  readonly root?: string;
  readonly cpus?: number;
  /** The machine has a network card. */
  readonly network?: boolean;
  readonly typed?: readonly Typed[];
  /** The test in test/boot that compares such a boot with a start by the kernel already. */
  readonly testedBy?: string;
}

const QUESTION = /Passphrase for .*: /;
const PASSPHRASE: Typed = { behind: QUESTION, line: STORAGE.passphrase };

const typed = (...lines: readonly string[]): Typed[] => lines.map((line) => ({ behind: SHELL_PROMPT, line }));

/** Words that reach the real init as arguments and as its environment, also such as would change a runtime. */
const ODD_WORDS =
  'single 3 name=value name=again module.parameter=1 odd="two words" empty= =x a=b=c größe=1 PATH=/odd ' +
  "TERM=vt100 HOME=/elsewhere LD_PRELOAD=/x BUN_OPTIONS=--version ENV=/x -- last --words e=f -- again";

export const SCENES: readonly Scene[] = [
  { name: "plain root", stack: "none", words: "", testedBy: "handover" },
  { name: "plain root, quiet", stack: "none", words: "quiet", testedBy: "handover" },
  { name: "plain root, debug", stack: "none", words: "debug rd.debug" },
  { name: "four processors", stack: "none", words: "quiet", cpus: 4, testedBy: "handover" },
  { name: "odd words, arguments behind --", stack: "none", words: ODD_WORDS },
  {
    name: "LUKS, passphrase typed",
    stack: "LUKS",
    words: "quiet",
    root: `root=UUID=${STORAGE.filesystem}`,
    typed: [PASSPHRASE],
    testedBy: "luks",
  },
  {
    name: "LUKS, wrong passphrase first, debug",
    stack: "LUKS",
    words: "debug",
    root: `root=UUID=${STORAGE.filesystem}`,
    typed: [{ behind: QUESTION, line: "wrong" }, PASSPHRASE],
  },
  {
    name: "LUKS on LVM on RAID1",
    stack: "LUKS on LVM on RAID1",
    words: "quiet",
    root: `root=UUID=${STORAGE.filesystem}`,
    typed: [PASSPHRASE],
  },
  {
    name: "LUKS on LVM on RAID1, four processors, debug",
    stack: "LUKS on LVM on RAID1",
    words: "debug single -- word",
    root: `root=UUID=${STORAGE.filesystem}`,
    cpus: 4,
    typed: [PASSPHRASE],
  },
  {
    name: "rescue shell after a failure",
    stack: "none",
    words: "quiet",
    root: "",
    typed: typed("mount -t ext4 -o ro /dev/vda /sysroot", "stty raw -echo; exit"),
    testedBy: "rescue",
  },
  {
    name: "rescue shell at rd.break=, debug, four processors",
    stack: "none",
    words: "debug rd.break=pre-pivot",
    cpus: 4,
    typed: typed("sleep 1000 & ", "umask 0; cd /sysroot; ulimit -n 9", "stty raw -echo; exit"),
  },
  {
    name: "network used",
    stack: "none",
    words: "rd.break=pre-pivot",
    network: true,
    typed: typed(
      "ifconfig lo 127.0.0.1 up; ifconfig eth0 10.0.2.15 up",
      "ifconfig eth0:1 10.9.9.9; route add default gw 10.0.2.2",
      "udhcpc -i eth0 -s /bin/true -b; ping -c 1 10.0.2.2",
      "exit",
    ),
  },
  {
    name: "network by ip=, both families",
    stack: "none",
    words: "ip=eth0:dhcp,auto6,link-local:1400 ip=192.0.2.7::192.0.2.1:24:box:eth0:none rd.neednet=1",
    network: true,
  },
];

/** What the root stands on: the disks, and what the disk that the kernel alone starts from lies beside. */
const STACKS = {
  none: { recipe: undefined, rules: [] },
  LUKS: { recipe: plainLuks, rules: STACKED_RULES },
  "LUKS on LVM on RAID1": { recipe: raid1LvmLuks, rules: STACKED_RULES },
} as const;

/** A scene and how it ended. */
export interface Played {
  readonly direct: Listing;
  readonly through: Listing;
  /** What differs and no rule allows. */
  readonly differences: readonly Difference[];
}

/** Where the root's name stands on the command line: both lines must be the same but for it. */
const ROOT_NAMED: Rule = {
  key: /^kernel\.cmdline$/,
  why: "the root is named otherwise",
  allows: (direct, through) => withoutRoot(direct) === withoutRoot(through),
};

/** The image of all scenes, from which rdinit boots under the kernel with all drivers built in. */
export function sceneImage(): Promise<string> {
  return rdinitImage({ name: "handover", shell: true, tools: ["mdadm", "lvm", "cryptsetup"] });
}

/**
 * Boots the scene twice, by the kernel alone and through rdinit out of `initrd`, and compares.
 * Disks of the machine are made in `dir`. Throws Error with the console's end when a boot fails.
 */
export async function playScene(scene: Scene, initrd: string, dir: string): Promise<Played> {
  const { recipe, rules } = STACKS[scene.stack];
  const plain = await probeDisk(dir, { file: "plain.img" });
  const members = recipe === undefined ? [plain] : await makeDisksInGuest(recipe(await probeRoot()));
  const name = `handover-${scene.name.replaceAll(/\W+/g, "-")}`;
  const cards: readonly Card[] = scene.network === true ? [{ link: { kind: "user" } }] : [];
  const shared = { cpus: scene.cpus ?? 1, timeout_ms: MACHINE_MS, cards };
  const direct = await referenceListing({
    ...shared,
    name: `${name}-direct`,
    kernel: (await builtinKernel()).vmlinuz,
    append: `root=/dev/vda ${scene.words}`,
    // As many disks, so that /dev holds as many nodes.
    disks: [plain, ...members.slice(1)].map((file) => ({ file })),
  });
  const machine = await bootRdinit(name, {
    ...shared,
    append: `${scene.root ?? "root=/dev/vda"} ${scene.words}`.trim(),
    disks: members.map((file) => ({ file })),
    initrd,
  });
  for (const { behind, line } of scene.typed ?? []) {
    await machine.console.expect(behind, MACHINE_MS);
    machine.console.send(`${line}\n`);
  }
  const through = await probed(machine);
  return {
    direct,
    through,
    differences: compare(direct, through, [...HANDOVER_RULES, ROOT_NAMED, ...rules]),
  };
}

function withoutRoot(line: string | undefined): string | undefined {
  return line?.replaceAll(/ ?\broot=\S+/g, "").trimEnd();
}
