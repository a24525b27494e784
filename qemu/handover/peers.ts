/**
 * The same root handed over by others, on the distribution's kernel: their initramfs images as their own tools
 * build them for any machine.
 */

import { join } from "node:path";
import { makeDisk } from "../disks.ts";
import { HANDOVER_RULES, ROOTFS_RULES } from "./rules.ts";
import { rdinitImage } from "../images.ts";
import { type Kernel, stockKernel } from "../kernel.ts";
import { busyboxImage } from "../peers/busybox.ts";
import { dracut } from "../peers/dracut.ts";
import { initramfsTools } from "../peers/initramfs-tools.ts";
import { peerImage, peersNeed } from "../peers/peer.ts";
import { tinyInitramfs } from "../peers/tiny-initramfs.ts";
import { type Difference, buildProbe, compare, probeMachine, probeRoot } from "../probe.ts";
import { packInitramfs } from "../tree.ts";

/** What came of a contender. */
export type Judged = { readonly name: string } & (
  | { readonly differences: readonly Difference[]; readonly free_kb: number }
  /** Why there are none, a clause. */
  | { readonly why: string }
);

/** Makes an image in `dir` for the kernel and the root with this UUID; its path. */
type MakeImage = (kernel: Kernel, dir: string, uuid: string) => Promise<string>;

const CONTENDERS: Readonly<Record<string, MakeImage>> = {
  rdinit: (kernel) => rdinitImage({ name: "handover-peer", kernel }),
  "busybox script": async (kernel, dir, uuid) => {
    const file = join(dir, "busybox.cpio");
    await busyboxImage(kernel, { uuid }, file);
    return file;
  },
  "tiny-initramfs": (kernel) => peerImage(tinyInitramfs, kernel),
  "initramfs-tools": (kernel) => peerImage(initramfsTools, kernel),
  dracut: (kernel) => peerImage(dracut, kernel),
};

/** Those of the distribution, which only root can build. */
const BUILT_BY_TOOLS: ReadonlySet<string> = new Set(["tiny-initramfs", "initramfs-tools", "dracut"]);

const UUID = "8a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a004";
const WORDS = 'quiet single name=value module.parameter=1 odd="two words" -- last words';
const TIMEOUT_MS = 120_000;

/**
 * Boots each contender and compares what the real init finds with what it finds in a rootfs that holds nothing
 * else: this kernel, whose drivers are modules, can start one from no disk by itself. Files are made in `dir`.
 */
export async function* judgePeers(dir: string): AsyncGenerator<Judged> {
  const kernel = await stockKernel();
  const shared = { kernel: kernel.vmlinuz, memory_mb: 512, timeout_ms: TIMEOUT_MS };
  const bare = join(dir, "probe.cpio");
  await packInitramfs([{ path: "/init", kind: "file", from: await buildProbe(), mode: 0o755 }], bare);
  const direct = await probeMachine({
    ...shared,
    name: "handover-peers-direct",
    initrd: bare,
    append: WORDS,
  });
  const file = await peerDisk(dir);
  const lacking = peersNeed();
  for (const [name, makeImage] of Object.entries(CONTENDERS)) {
    if (lacking !== undefined && BUILT_BY_TOOLS.has(name)) {
      yield { name, why: lacking };
      continue;
    }
    try {
      const through = await probeMachine({
        ...shared,
        name: `handover-${name.replaceAll(/\W+/g, "-")}`,
        initrd: await makeImage(kernel, dir, UUID),
        append: `root=UUID=${UUID} ${WORDS}`,
        disks: [{ file }],
      });
      yield {
        name,
        differences: compare(direct, through, [...HANDOVER_RULES, ...ROOTFS_RULES]),
        free_kb: Number(through.get("memory.free")) - Number(direct.get("memory.free")),
      };
    } catch (error) {
      yield { name, why: String(error) };
    }
  }
}

async function peerDisk(dir: string): Promise<string> {
  const file = join(dir, "peers.img");
  // systemctl(1) in the image of dracut hands over to nothing without it.
  const release = { path: "/etc/os-release", kind: "text", text: "ID=probe\n" } as const;
  await makeDisk({ file, type: "ext4", tree: [...(await probeRoot()), release], uuid: UUID });
  return file;
}
