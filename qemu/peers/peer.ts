/**
 * The distribution's own builders of initramfs images, run on a kernel that is not installed.
 *
 * Each sees the unpacked kernel at /lib/modules and /boot through overlay mounts in a mount namespace of its
 * own: the machine's own folders never change. Only root can do that. In a user namespace an ordinary user may
 * mount, but every file of the machine then seems to be nobody's, and both builders give up at the first copy
 * that shall keep its owner.
 */

import { chmodSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../src/lib/errors.ts";
import { keptFolder } from "../cache.ts";
import { cacheDir, fingerprint, run, runCounted } from "../host.ts";
import type { Kernel } from "../kernel.ts";
import { unpackPackage } from "../stock.ts";

/** A builder of images. */
export interface Peer {
  /** What it is called in tables. */
  readonly name: string;
  /** The Debian package that it comes from. */
  readonly package: string;
  /**
   * Debian packages that it sees as if they were installed: what they would change on the build machine (hooks,
   * services) stays out of it. `package` is among them when it is none that qemu/packages.txt lists.
   */
  readonly unpacked?: readonly string[];
  /** Files for a folder that its command may use, by name; folders end with "/", and scripts (#!) can be run. */
  readonly files: Readonly<Record<string, string>>;
  /** The command that builds the image for `version` as `to`; `folder` holds `files`. */
  readonly command: (version: string, to: string, folder: string) => readonly string[];
}

/** A key that is put into an image, for an encrypted volume. */
export interface PackedKey {
  readonly path: string;
  /** Without a quote in it. */
  readonly text: string;
  /** The volume's UUID. */
  readonly uuid: string;
}

/** What a build took. */
export interface PeerBuild {
  readonly name: string;
  /** Version of its package. */
  readonly version: string;
  readonly command: string;
  /** Of wall time. */
  readonly seconds: number;
  /** Of processors. */
  readonly cpu_s: number;
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
  const more = await unpackedVersions(peer);
  const print = fingerprint(kernel.version, version, options, files, ...more);
  const dir = await keptFolder(`peer-${peer.name}`, print, async (half) => {
    await buildPeerImage(peer, kernel, join(half, IMAGE));
  });
  return join(dir, IMAGE);
}

const IMAGE = "initrd.img";

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
    else {
      await Bun.write(join(folder, name), contents);
      if (contents.startsWith("#!")) chmodSync(join(folder, name), 0o755);
    }
  try {
    const more = await unpackedRoot(peer);
    const command = peer.command(kernel.version, to, folder);
    const start = Bun.nanoseconds();
    const { cpu_s } = await runCounted([...installed(kernel, more), ...command]);
    const seconds = (Bun.nanoseconds() - start) / 1e9;
    return { name: peer.name, version, command: command.join(" "), seconds, cpu_s };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// A command in front of others, under which the kernel, and what was unpacked, seem to be installed.
function installed(kernel: Kernel, more: string | undefined): string[] {
  // DIR/lib/modules/VERSION and DIR/boot/vmlinuz-VERSION
  const lib = join(kernel.modules, "../..");
  const boot = join(kernel.vmlinuz, "..");
  const overlays = [`mount -t overlay -o lowerdir="$0:/usr/lib" overlay /usr/lib`];
  overlays.push(`mount -t overlay -o lowerdir="$1:/boot" overlay /boot`);
  // /usr first: it would cover what is mounted below it.
  if (more !== undefined) overlays.unshift(`mount -t overlay -o lowerdir="$2/usr:/usr" overlay /usr`);
  const script = [...overlays, "shift 2", 'exec "$@"'].join(" && ");
  return ["unshare", "--mount", "sh", "-c", script, lib, boot, more ?? ""];
}

/** A folder with the files of the packages that a peer wants unpacked, all below /usr; undefined for none. */
async function unpackedRoot(peer: Peer): Promise<string | undefined> {
  const packages = peer.unpacked ?? [];
  if (packages.length === 0) return undefined;
  const dir = join(cacheDir(), `unpacked-${fingerprint(...(await unpackedVersions(peer)))}`);
  const root = join(dir, "root");
  if (existsSync(join(dir, "done"))) return root;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  for (const name of packages) await unpackPackage(name, dir, root);
  // They know no merged /usr, which the machine has.
  for (const name of ["lib", "sbin", "bin"])
    if (existsSync(join(root, name))) cpSync(join(root, name), join(root, "usr", name), { recursive: true });
  await Bun.write(join(dir, "done"), "");
  return root;
}

/** "NAME VERSION" for each of the packages that a peer wants unpacked. */
async function unpackedVersions(peer: Peer): Promise<string[]> {
  return Promise.all((peer.unpacked ?? []).map(async (name) => `${name} ${await offeredVersion(name)}`));
}

async function offeredVersion(name: string): Promise<string> {
  const offered = /^ {2}Candidate: (\S+)$/m.exec(await run(["apt-cache", "policy", name]))?.[1];
  if (offered === undefined)
    throw new UserError(`No package ${name} is offered here.`, "Run 'apt-get update' as root once.");
  return offered;
}

async function packageVersion(peer: Peer): Promise<string> {
  if (peer.unpacked?.includes(peer.package) === true) return offeredVersion(peer.package);
  return run(["dpkg-query", "-W", "-f", "${Version}", peer.package]).catch(() => {
    throw new UserError(
      `The package ${peer.package} is not installed.`,
      "'make setup-test' installs the packages that qemu/packages.txt lists.",
    );
  });
}
