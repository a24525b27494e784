/** The kernel of the distribution, fetched as a package and unpacked; never installed, root not needed. */

import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { readRecord, writeRecord } from "./cache.ts";
import { cacheDir, run, withLock } from "./host.ts";
import type { Kernel } from "./installed.ts";

interface Distribution {
  /** The package that depends on the newest kernel. */
  readonly meta: string;
  /** The kernel's own package, as the meta package names it; the group is the kernel's version. */
  readonly image: RegExp;
  /** Packages that hold the kernel and its modules, besides what the first depends on of the same version. */
  readonly packages: (version: string) => readonly string[];
}

/** By ID of os-release(5); derived distributions are found by ID_LIKE. */
const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  debian: {
    meta: "linux-image-amd64",
    image: /^linux-image-(\d.*-amd64)$/,
    packages: (version) => [`linux-image-${version}`],
  },
  ubuntu: {
    meta: "linux-image-generic",
    image: /^linux-image-(\d.*-generic)$/,
    packages: (version) => [
      `linux-image-${version}`,
      `linux-modules-${version}`,
      `linux-modules-extra-${version}`,
    ],
  },
};

/** The stock kernel from the cache; fetched when it is not there yet, or when `refresh` finds a newer one. */
export async function stockKernel(refresh = false): Promise<Kernel> {
  const record = join(cacheDir(), "stock.json");
  const kept = refresh ? undefined : readRecord<Kernel>(record);
  if (kept !== undefined && existsSync(kept.vmlinuz) && existsSync(kept.modules)) return kept;
  return withLock("stock", async () => {
    const kernel = await fetchStock();
    writeRecord(record, kernel);
    return kernel;
  });
}

/** The IDs in os-release(5) text, the most specific first. */
export function distributionIds(osRelease: string): string[] {
  const value = (key: string) =>
    new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(osRelease)?.[1]?.split(/\s+/) ?? [];
  return [...value("ID"), ...value("ID_LIKE")].filter((id) => id !== "");
}

/**
 * The packages that `apt-cache depends` names as dependencies; alternatives and virtual packages are left
 * out.
 */
export function dependencies(aptCacheDepends: string): string[] {
  return [...aptCacheDepends.matchAll(/^ {1,2}\|?Depends: ([^<\s]+)$/gm)].map((match) => match[1] ?? "");
}

/** Those of the packages that are a part of the kernel `version`, as Debian 14 has them: linux-modules-VERSION and such. */
export function ofVersion(packages: readonly string[], version: string): string[] {
  return packages.filter((name) => name.startsWith("linux-") && name.endsWith(`-${version}`));
}

async function fetchStock(): Promise<Kernel> {
  const ids = distributionIds(await Bun.file("/etc/os-release").text());
  const known = ids.find((id) => Object.hasOwn(DISTRIBUTIONS, id));
  const distribution = known === undefined ? undefined : DISTRIBUTIONS[known];
  if (distribution === undefined)
    throw new UserError(
      `No stock kernel is known for this distribution (${ids.join(", ")}).`,
      "Add its package names to qemu/stock.ts.",
    );
  const offered = dependencies(await run(["apt-cache", "depends", distribution.meta]));
  const version = offered
    .map((name) => distribution.image.exec(name)?.[1])
    .find((found) => found !== undefined);
  if (version === undefined)
    throw new UserError(
      `The package ${distribution.meta} names no kernel here.`,
      "Run 'apt-get update' as root once.",
    );
  const dir = join(cacheDir(), `stock-${version}`);
  const root = join(dir, "root");
  if (!existsSync(join(dir, "done"))) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    const [image = "", ...more] = distribution.packages(version);
    const parts = ofVersion(dependencies(await run(["apt-cache", "depends", image])), version);
    for (const name of new Set([image, ...parts, ...more])) await unpackPackage(name, dir, root);
    // depmod looks for lib/modules; distributions with a merged /usr ship usr/lib/modules alone.
    if (!existsSync(join(root, "lib"))) symlinkSync("usr/lib", join(root, "lib"));
    await run(["depmod", "-b", root, version]);
    await Bun.write(join(dir, "done"), "");
  }
  const modules = join(root, "lib/modules", version);
  const inBoot = join(root, "boot", `vmlinuz-${version}`);
  return { version, vmlinuz: existsSync(inBoot) ? inBoot : join(modules, "vmlinuz"), modules };
}

/** Downloads the package `name` into `dir`, unpacks it into `root` and drops the download. */
export async function unpackPackage(name: string, dir: string, root: string): Promise<void> {
  await run(["apt-get", "download", name], { cwd: dir });
  const file = readdirSync(dir).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith(".deb"));
  if (file === undefined)
    throw new UserError(`apt-get downloaded ${name}, but left no ${name}_*.deb in ${dir}.`);
  await run(["dpkg-deb", "-x", file, root], { cwd: dir });
  rmSync(join(dir, file));
}
