/** What boots are compared on: a root, and everything that can bring it up, on the same kernel and disks. */

import { join } from "node:path";
import { programPath } from "../host.ts";
import type { Kernel } from "../kernel.ts";
import { LVM_CONF, makeDisksInGuest } from "../maker.ts";
import { type BusyboxStorage, busyboxImage } from "../peers/busybox.ts";
import { dracut, dracutWithKey } from "../peers/dracut.ts";
import { initramfsTools, initramfsToolsWithKey } from "../peers/initramfs-tools.ts";
import { type Peer, peerImage, peersNeed } from "../peers/peer.ts";
import { tinyInitramfs } from "../peers/tiny-initramfs.ts";
import { STORAGE } from "../storage/basic.ts";
import { BENCH_DIR, BENCH_UUID, benchDisk } from "./boot.ts";
import { buildBenchImage, stackImage, stackParameters } from "./images.ts";
import { STACKS, STACK_KEY, STACK_KEY_PATH, STACK_VOLUME, type Stack, stackRecipe } from "./stacks.ts";

/** A root to be brought up. */
export interface Scenario {
  /** The word for it on the command line, and in front of its rows. */
  readonly name: string;
  /** For the head of its table. */
  readonly title: string;
  /** Whether the least memory is looked for, which takes boots. */
  readonly smallest: boolean;
  readonly disks: () => Promise<readonly string[]>;
  readonly contenders: (kernel: Kernel) => readonly Contender[];
}

/** What can bring a root up. */
export interface Contender {
  readonly name: string;
  /** Builds or finds its image; a clause with the reason when it can't be had. */
  readonly image: () => Promise<{ readonly initrd: string } | { readonly why: string }>;
  /** What it is told on the kernel command line besides root=, with a blank in front. */
  readonly parameters: string;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "ext4",
    title: "ext4 by UUID on a disk",
    smallest: true,
    disks: async () => [await benchDisk()],
    contenders: (kernel) => [
      busybox(kernel, "ext4", undefined),
      fromPeer(kernel, tinyInitramfs, ""),
      rdinit("rdinit --drivers", () => driversImage(kernel)),
      rdinit("rdinit --generic", () => buildBenchImage({ name: "generic", kernel, options: ["--generic"] })),
      fromPeer(kernel, initramfsTools, ""),
      fromPeer(kernel, dracut, ""),
    ],
  },
  ...STACKS.map((stack, at): Scenario => ({
    name: stack.name,
    title: `ext4 on ${stack.encrypted ? "LUKS, opened by a key file, on " : ""}LVM on RAID1`,
    smallest: at === STACKS.length - 1,
    disks: async () => makeDisksInGuest(await stackRecipe(stack)),
    contenders: (kernel) => [
      busybox(kernel, stack.name, stack),
      {
        name: "tiny-initramfs",
        image: () => Promise.resolve({ why: "it puts no arrays and volumes together" }),
        parameters: "",
      },
      ...(["drivers", "generic"] as const).map((form) =>
        rdinit(`rdinit --${form}`, () => stackImage(kernel, stack, form), stackParameters(stack)),
      ),
      ...stackPeers(stack).map(({ peer, parameters }) => fromPeer(kernel, peer, parameters)),
    ],
  })),
];

/** rdinit's image with nothing but what ext4 on a disk takes. */
export function driversImage(kernel: Kernel): Promise<string> {
  const options = ["--drivers", "virtio_pci virtio_blk ext4"];
  return buildBenchImage({ name: "drivers", kernel, options });
}

function rdinit(name: string, build: () => Promise<string>, parameters = ""): Contender {
  return { name, image: async () => ({ initrd: await build() }), parameters };
}

function fromPeer(kernel: Kernel, peer: Peer, parameters: string): Contender {
  return {
    name: peer.package.replace(/-core$/, ""),
    image: async () => {
      const why = peersNeed();
      return why === undefined ? { initrd: await peerImage(peer, kernel) } : { why };
    },
    parameters,
  };
}

function busybox(kernel: Kernel, name: string, stack: Stack | undefined): Contender {
  const image = async (): Promise<{ initrd: string }> => {
    const initrd = join(BENCH_DIR, `busybox-${name}.cpio`);
    const storage = stack === undefined ? {} : { storage: await busyboxStorage(stack) };
    await busyboxImage(kernel, { uuid: BENCH_UUID, ...storage }, initrd);
    return { initrd };
  };
  return { name: "busybox script", image, parameters: "" };
}

/** What somebody who knows the machine would write: no looking around, no waiting for what is there. */
async function busyboxStorage({ tools, modules, encrypted }: Stack): Promise<BusyboxStorage> {
  const group = STORAGE.group;
  const open = `cryptsetup open --key-file ${STACK_KEY_PATH} /dev/mapper/${STACK_VOLUME} clear`;
  return {
    modules,
    tools: tools.map(programPath),
    steps: [
      "export DM_DISABLE_UDEV=1",
      "busybox mkdir -p /run/lock /run/lvm /run/cryptsetup",
      "until [ -b /dev/vda ] && [ -b /dev/vdb ]; do busybox usleep 1000; done",
      "mdadm --assemble --run /dev/md0 /dev/vda /dev/vdb",
      `lvm lvchange -ay --sysinit ${group}/${STORAGE.volume}`,
      ...(encrypted ? [open] : []),
    ],
    files: [
      { path: "/etc/lvm/lvm.conf", kind: "text", text: LVM_CONF },
      ...(encrypted ? [{ path: STACK_KEY_PATH, kind: "text", text: STACK_KEY, mode: 0o600 } as const] : []),
    ],
  };
}

/** The peers that can do it, and what they have to be told: initramfs-tools puts together all that it finds. */
function stackPeers(stack: Stack): readonly { peer: Peer; parameters: string }[] {
  const key = { path: STACK_KEY_PATH, text: STACK_KEY, uuid: STORAGE.luks };
  const named = ` rd.md.uuid=${STORAGE.array} rd.lvm.lv=${STORAGE.group}/${STORAGE.volume}`;
  return stack.encrypted
    ? [
        { peer: initramfsToolsWithKey(key), parameters: "" },
        { peer: dracutWithKey(key), parameters: `${named}${stackParameters(stack)}` },
      ]
    : [
        { peer: initramfsTools, parameters: "" },
        { peer: dracut, parameters: named },
      ];
}
