/** A small kernel with every driver the boot tests need built in, from the distribution's source package. */

import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { readRecord, writeRecord } from "./cache.ts";
import { cacheDir, fingerprint, makeIn, run, tryRun, withLock } from "./host.ts";
import type { Kernel } from "./installed.ts";
import { dependencies, unpackPackage } from "./stock.ts";

/** What a link with an initramfs inside leaves in the build tree, 100 MB each, and the next makes anew. */
const HEAVY = [
  ...["initramfs_data.cpio", "initramfs_inc_data", "initramfs_data.o", "built-in.a"].map(
    (name) => `usr/${name}`,
  ),
  ...["vmlinux.o", "vmlinux"],
  ...["bzImage", "vmlinux.bin"].map((name) => `arch/x86/boot/${name}`),
  ...["vmlinux", "vmlinux.bin", "vmlinux.bin.lz4", "piggy.o"].map(
    (name) => `arch/x86/boot/compressed/${name}`,
  ),
];

/** Half of the source, and none of it is ever built here: the code of graphics cards. */
const UNWANTED = "*/drivers/gpu/drm/*/*.[ch]";

/** Raise it when the steps below change what comes out. */
const RECIPE = "1";

interface Source {
  /** Name and version of the package, for the cache. */
  readonly id: string;
  readonly tarball: string;
}

/** The built-in kernel from the cache; built when it is not there yet, which takes minutes. */
export async function builtinKernel(): Promise<Kernel> {
  const fragment = await Bun.file(join(import.meta.dir, "builtin.config")).text();
  const source = await kernelSource();
  const dir = join(cacheDir(), `builtin-${fingerprint(RECIPE, source.id, fragment)}`);
  const result = join(dir, "kernel.json");
  const kept = readRecord<Kernel>(result);
  if (kept !== undefined) return kept;
  return withLock("builtin", async () => {
    const made = readRecord<Kernel>(result);
    if (made !== undefined) return made;
    const kernel = await build(dir, source, fragment);
    // A build tree takes two gigabytes; one is kept.
    for (const name of readdirSync(cacheDir()))
      if (name.startsWith("builtin-") && name !== basename(dir))
        rmSync(join(cacheDir(), name), { recursive: true, force: true });
    writeRecord(result, kernel);
    return kernel;
  });
}

/** Where the built-in kernel was built: its source and its objects. */
export async function builtinTree(): Promise<{ readonly source: string; readonly objects: string }> {
  const { modules } = await builtinKernel();
  // DIR/root/lib/modules/VERSION
  const dir = join(modules, "../../../..");
  return { source: join(dir, "source"), objects: join(dir, "objects") };
}

/** The program that makes an archive of a list, from that kernel's source. */
export async function genInitCpio(): Promise<string> {
  return join((await builtinTree()).objects, "usr/gen_init_cpio");
}

/**
 * The built-in kernel linked anew as `to` with an initramfs inside it. `source` is CONFIG_INITRAMFS_SOURCE: the
 * path of a cpio archive ending in .cpio, or those of folders and of lists with blanks between; none with other
 * blanks in them. It is not compressed in there, as the kernel itself is. Only the archive is compiled, which takes
 * some seconds.
 */
export async function builtinKernelWith(source: string, to: string): Promise<void> {
  const { version, vmlinuz } = await builtinKernel();
  const { objects } = await builtinTree();
  await withLock("builtin", async () => {
    const config = join(objects, ".config");
    // The installed copy: one who was killed here may have left his own in the build tree.
    const plain = await Bun.file(join(vmlinuz, "..", `config-${version}`)).text();
    try {
      // The files of a folder that belong to who runs this are root's in the image.
      const lines = [
        `CONFIG_INITRAMFS_SOURCE="${source}"`,
        "CONFIG_INITRAMFS_ROOT_UID=-1",
        "CONFIG_INITRAMFS_ROOT_GID=-1",
        "CONFIG_INITRAMFS_COMPRESSION_NONE=y",
      ];
      await Bun.write(config, `${plain}${lines.join("\n")}\n`);
      await makeIn(objects, "the kernel", "olddefconfig");
      await makeIn(objects, "the kernel", "bzImage");
      cpSync(join(objects, "arch/x86/boot/bzImage"), to);
    } finally {
      await Bun.write(config, plain);
      for (const name of HEAVY) rmSync(join(objects, name), { force: true });
    }
  });
}

/**
 * What the finished configuration lacks of the fragment: options that were asked for, and options that were
 * refused.
 */
export function lostOptions(fragment: string, config: string): { missing: string[]; unwanted: string[] } {
  const lines = new Set(config.split("\n"));
  const wanted = fragment.split("\n").filter((line) => /^CONFIG_\w+=/.test(line));
  const refused = [...fragment.matchAll(/^# (CONFIG_\w+) is not set$/gm)].map((match) => match[1] ?? "");
  return {
    missing: wanted.filter((line) => !lines.has(line)),
    unwanted: refused.filter((name) => lines.has(`${name}=y`)),
  };
}

async function build(dir: string, source: Source, fragment: string): Promise<Kernel> {
  rmSync(dir, { recursive: true, force: true });
  const tree = join(dir, "source");
  const objects = join(dir, "objects");
  mkdirSync(tree, { recursive: true });
  mkdirSync(objects);
  await run(["tar", "-x", "-f", source.tarball, "-C", tree, "--strip-components=1", `--exclude=${UNWANTED}`]);
  await run(["make", "-s", "-C", tree, `O=${objects}`, "tinyconfig"]);
  const config = join(objects, ".config");
  await Bun.write(config, (await Bun.file(config).text()) + fragment);
  await makeIn(objects, "the kernel", "olddefconfig");
  const { missing, unwanted } = lostOptions(fragment, await Bun.file(config).text());
  const lost = await knownTo(tree, missing);
  if (lost.length > 0)
    throw new UserError(
      `${source.id} did not keep these lines of qemu/builtin.config: ${lost.join(", ")}.`,
      "Each depends on an option that is off: 'make menuconfig' and '/' in the kernel's source show which.",
    );
  if (unwanted.length > 0)
    process.stderr.write(`${source.id} turns these on all the same: ${unwanted.join(", ")}\n`);
  await makeIn(objects, "the kernel", "bzImage");
  return install(dir, objects);
}

/**
 * Those lines of a configuration whose option the source in `tree` has: one that it has not is of another version of the
 * kernel, where the drivers were sorted in another way.
 */
export async function knownTo(tree: string, lines: readonly string[]): Promise<string[]> {
  if (lines.length === 0) return [];
  const pattern = `^[[:space:]]*(menu)?config (${lines.map(optionOf).join("|")})[[:space:]]*$`;
  const { stdout } = await tryRun(["grep", "-rhE", "--include=Kconfig*", pattern, tree]);
  const known = new Set(stdout.split("\n").map((line) => line.trim().replace(/^\w+ /, "")));
  return lines.filter((line) => known.has(optionOf(line)));
}

/** "TTY" of "CONFIG_TTY=y". */
function optionOf(line: string): string {
  return line.replace(/^CONFIG_|=.*$/g, "");
}

/**
 * Lays the result out as an installed kernel: boot/vmlinuz-V, lib/modules/V with the lists of what is built
 * in.
 */
async function install(dir: string, objects: string): Promise<Kernel> {
  const version = (await Bun.file(join(objects, "include/config/kernel.release")).text()).trim();
  const root = join(dir, "root");
  const modules = join(root, "lib/modules", version);
  mkdirSync(modules, { recursive: true });
  mkdirSync(join(root, "boot"));
  const vmlinuz = join(root, "boot", `vmlinuz-${version}`);
  cpSync(join(objects, "arch/x86/boot/bzImage"), vmlinuz);
  cpSync(join(objects, ".config"), join(root, "boot", `config-${version}`));
  for (const name of ["modules.builtin", "modules.builtin.modinfo"])
    cpSync(join(objects, name), join(modules, name));
  await Bun.write(join(modules, "modules.order"), "");
  await run(["depmod", "-b", root, version]);
  return { version, vmlinuz, modules };
}

/** The installed source package, else the downloaded one, else a fresh download. */
async function kernelSource(): Promise<Source> {
  const installed = tarballBelow("/usr/src");
  if (installed !== undefined) {
    const name = installed.slice("/usr/src/".length).replace(/[/].*|\.tar\..*$/g, "");
    const version = await run(["dpkg-query", "-W", "-f", "${Version}", name]);
    return { id: `${name} ${version}`, tarball: installed };
  }
  const dir = join(cacheDir(), "kernel-source");
  await withLock("kernel-source", async () => {
    if (existsSync(join(dir, "id"))) return;
    const name = dependencies(await run(["apt-cache", "depends", "linux-source"]))[0];
    if (name === undefined)
      throw new UserError("No kernel source package is on offer here.", "Run 'apt-get update' as root once.");
    const half = `${dir}.part`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(half, { recursive: true });
    const policy = await run(["apt-cache", "policy", name]);
    await unpackPackage(name, half, half);
    await Bun.write(join(half, "id"), `${name} ${/Candidate: (\S+)/.exec(policy)?.[1] ?? "?"}`);
    rmSync(dir, { recursive: true, force: true });
    renameSync(half, dir);
  });
  const tarball = tarballBelow(join(dir, "usr/src"));
  if (tarball === undefined)
    throw new UserError(`${dir} holds no kernel source.`, "Remove it and try again.");
  return { id: await Bun.file(join(dir, "id")).text(), tarball };
}

/** Debian puts the tarball into /usr/src, Ubuntu into a folder of its own there. */
function tarballBelow(dir: string): string | undefined {
  if (!existsSync(dir)) return undefined;
  for (const name of readdirSync(dir).sort().toReversed()) {
    if (!name.startsWith("linux-source-")) continue;
    if (/\.tar\.(xz|bz2|zst)$/.test(name)) return join(dir, name);
    const below = readdirSync(join(dir, name)).find((entry) =>
      /^linux-source-.*\.tar\.(xz|bz2|zst)$/.test(entry),
    );
    if (below !== undefined) return join(dir, name, below);
  }
  return undefined;
}
