/**
 * The distribution's own builders of initramfs images, run on a kernel that is not installed.
 *
 * Each sees the unpacked kernel at /lib/modules and /boot through overlay mounts in a mount namespace of its
 * own: the machine's own folders never change. Only root can do that. In a user namespace an ordinary user may
 * mount, but every file of the machine then seems to be nobody's, and both builders give up at the first copy
 * that shall keep its owner.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../../src/lib/errors.ts";
import { cacheDir, fingerprint, run, withLock } from "../host.ts";
import type { Kernel } from "../kernel.ts";

/** A builder of images. */
export interface Peer {
  /** What it is called in tables. */
  readonly name: string;
  /** The Debian package that it comes from. */
  readonly package: string;
  /** Files for a folder that its command may use, by name; folders end with "/". */
  readonly files: Readonly<Record<string, string>>;
  /** The command that builds the image for `version` as `to`; `folder` holds `files`. */
  readonly command: (version: string, to: string, folder: string) => readonly string[];
}

/** What a build took; kept as JSON beside an image in the cache. */
export interface PeerBuild {
  readonly name: string;
  /** Version of its package. */
  readonly version: string;
  readonly command: string;
  /** Of wall time. */
  readonly seconds: number;
}

/** Why peers can't build here; undefined when they can. */
export function peersNeed(): string | undefined {
  if (process.getuid?.() !== 0)
    return "dracut and mkinitramfs take the files of this machine with their owners, which only root can give";
  // A chroot into a plain folder has no mount that could be made private.
  return Bun.spawnSync(["unshare", "--mount", "true"]).exitCode === 0
    ? undefined
    : "dracut and mkinitramfs look for the kernel in /lib/modules, and no private mounts can be made here to show it to them";
}

/**
 * The image that `peer` builds for the kernel, from the cache; built when it is not there yet.
 * Throws UserError when this is not root, or when the builder fails.
 */
export async function peerImage(peer: Peer, kernel: Kernel): Promise<string> {
  const options = peer.command(kernel.version, "IMAGE", "FOLDER").join(" ");
  const files = JSON.stringify(peer.files);
  const version = await packageVersion(peer);
  const dir = join(cacheDir(), `peer-${peer.name}-${fingerprint(kernel.version, version, options, files)}`);
  const image = join(dir, "initrd.img");
  if (existsSync(image)) return image;
  return withLock(`peer-${peer.name}`, async () => {
    if (existsSync(image)) return image;
    const half = `${dir}.part`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(half, { recursive: true });
    const record = await buildPeerImage(peer, kernel, join(half, "initrd.img"));
    await Bun.write(join(half, "build.json"), `${JSON.stringify(record, null, 2)}\n`);
    for (const name of readdirSync(cacheDir()))
      if (name.startsWith(`peer-${peer.name}-`) && name !== basename(half))
        rmSync(join(cacheDir(), name), { recursive: true, force: true });
    renameSync(half, dir);
    return image;
  });
}

/**
 * Builds the kernel's image as `to`, now, and tells what it took.
 * Throws UserError when this is not root, or when the builder fails.
 */
export async function buildPeerImage(peer: Peer, kernel: Kernel, to: string): Promise<PeerBuild> {
  const need = peersNeed();
  if (need !== undefined) throw new UserError(`${peer.name} can't run: ${need}.`, "Run this as root.");
  const version = await packageVersion(peer);
  const folder = `${to}.files`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, contents] of Object.entries(peer.files))
    if (name.endsWith("/")) mkdirSync(join(folder, name), { recursive: true });
    else await Bun.write(join(folder, name), contents);
  try {
    const command = peer.command(kernel.version, to, folder);
    const start = Bun.nanoseconds();
    await run([...installed(kernel), ...command]);
    const seconds = (Bun.nanoseconds() - start) / 1e9;
    return { name: peer.name, version, command: command.join(" "), seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// A command in front of others, under which the kernel seems to be installed.
function installed(kernel: Kernel): string[] {
  // DIR/lib/modules/VERSION and DIR/boot/vmlinuz-VERSION
  const lib = join(kernel.modules, "../..");
  const boot = join(kernel.vmlinuz, "..");
  const script =
    'mount -t overlay -o lowerdir="$0:/usr/lib" overlay /usr/lib && ' +
    'mount -t overlay -o lowerdir="$1:/boot" overlay /boot && shift && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, lib, boot];
}

async function packageVersion(peer: Peer): Promise<string> {
  return run(["dpkg-query", "-W", "-f", "${Version}", peer.package]).catch(() => {
    throw new UserError(
      `The package ${peer.package} is not installed.`,
      "'make setup-test' installs the packages that qemu/packages.txt lists.",
    );
  });
}
