/** Initramfs images with build/rdinit as /init, for `make run`, the benchmark and the boot tests. */

import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type ExtraFile, buildImage } from "../src/image/build.ts";
import { toolParts } from "../src/image/recipes/index.ts";
import { RootTree } from "../src/image/root-tree.ts";
import { type SshWishes, sshPart } from "../src/image/ssh/part.ts";
import { writeImage } from "../src/image/write.ts";
import { PROJECT, programPath } from "./host.ts";
import type { Kernel } from "./kernel.ts";

/** What a machine of this folder needs for an ext4 root on its first disk. */
export const MACHINE_DRIVERS: readonly string[] = ["virtio_pci", "virtio_blk", "ext4"];

export interface RdinitImage {
  /** Names the file, NAME.cpio in imagesDir(). */
  readonly name: string;
  /** The kernel whose modules go in; none for a kernel with all drivers built in. */
  readonly kernel?: Kernel;
  readonly drivers?: readonly string[];
  /** Puts busybox in, as the rescue shell. */
  readonly shell?: boolean;
  readonly files?: readonly ExtraFile[];
  /** Programs of this machine, by recipe, with all that they need. */
  readonly tools?: readonly string[];
  /** Remote unlock, with these files of keys of this machine. */
  readonly ssh?: SshWishes;
  /** What becomes /init; see chooseInit(). */
  readonly init?: string;
}

/**
 * The image of `make run`: the drivers of its machine and of these filesystems, and a rescue shell; with `ssh` also what
 * unlocks an encrypted root from elsewhere.
 */
export function runImage(kernel: Kernel, types: readonly string[], ssh?: SshWishes): Promise<string> {
  const drivers = ["virtio_pci", "virtio_blk", ...types.map((type) => `fs-${type}`)];
  if (ssh === undefined) return rdinitImage({ name: "run", kernel, drivers, shell: true });
  const tools = ["cryptsetup", ...["mdadm", "lvm"].filter((name) => Bun.which(name) !== null)];
  const remote = { drivers: [...drivers, "virtio_net"], tools, ssh };
  return rdinitImage({ name: "run-unlock", kernel, shell: true, ...remote });
}

/**
 * Where images and disks of this run lie: $RDINIT_IMAGES, which the tests set (test/fixtures/images.ts), else
 * build/images. Made when missing.
 */
export function imagesDir(): string {
  const dir = process.env["RDINIT_IMAGES"] || join(PROJECT, "build/images");
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Builds the image, uncompressed, and returns its path. */
export async function rdinitImage(request: RdinitImage): Promise<string> {
  const file = join(imagesDir(), `${request.name}.cpio`);
  const root = new RootTree("/");
  const { entries } = buildImage({
    init: request.init ?? chooseInit(request.kernel),
    ...(request.kernel === undefined
      ? {}
      : { modules: modulesOf(request.kernel, request.drivers ?? MACHINE_DRIVERS) }),
    ...(request.shell === true ? { busybox: staticBusybox() } : {}),
    files: request.files ?? [],
    parts: [
      ...(request.ssh === undefined ? [] : [sshPart(root, request.ssh).part]),
      ...toolParts(root, [...(request.tools ?? []), ...(request.ssh === undefined ? [] : ["dropbear"])], {
        isUnlockedBySsh: request.ssh !== undefined,
      }),
    ],
  });
  const half = `${file}.${process.pid}`;
  await writeImage(half, entries, "none");
  renameSync(half, file);
  return file;
}

/**
 * The packed form for the distribution's kernel, which has userfaultfd(2); the plain one for the small kernel,
 * which has not, and would have to unpack all of it first.
 */
function chooseInit(kernel: Kernel | undefined): string {
  return join(PROJECT, kernel === undefined ? "build/rdinit" : "build/init");
}

function modulesOf(kernel: Kernel, drivers: readonly string[]) {
  // DIR/lib/modules/VERSION
  return {
    root: join(kernel.modules, "../../.."),
    release: kernel.version,
    names: drivers,
    ifThere: ["sha256_ssse3"],
  };
}

/** The path of Debian's static busybox. Throws UserError when it is missing. */
export function staticBusybox(): string {
  return programPath("busybox");
}
