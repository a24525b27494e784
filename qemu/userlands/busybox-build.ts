/**
 * A busybox with everything that it has by default, runit's programs among it, which distributions leave out of theirs:
 * built from the distribution's source package. Kept in the cache; root not needed.
 */

import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError, describe } from "../../src/lib/errors.ts";
import { keptFolder } from "../cache.ts";
import { fingerprint, makeIn, run } from "../host.ts";
import { sourceFiles } from "./apt.ts";

/** The configuration besides `make defconfig`. */
const SETTINGS: readonly string[] = ["CONFIG_STATIC=y", 'CONFIG_SV_DEFAULT_SERVICE_DIR="/etc/runit/sv"'];

/** Why there is no such busybox here; undefined when there is, built now if need be. */
export async function busyboxNeed(): Promise<string | undefined> {
  try {
    await fullBusybox();
    return undefined;
  } catch (error) {
    return `a busybox with runit can't be built here: ${describe(error)}`;
  }
}

/** A text of sources.list(5), of either form, with the sources of its packages in their place. */
export function forSources(text: string): string {
  return text.replace(/^Types:.*$/gim, "Types: deb-src").replace(/^deb(?=\s)/gm, "deb-src");
}

/** The path of the program. The first time fetches its source and compiles it, which takes a minute or two. */
export async function fullBusybox(): Promise<string> {
  const dir = await keptFolder("busybox", fingerprint(...SETTINGS), async (half) =>
    build(half, await fetchSource(half)),
  );
  return join(dir, "busybox");
}

// By apt-get with lists of its own, as the machine's have no sources in them.
async function fetchSource(dir: string): Promise<string> {
  for (const name of ["lists/partial", "cache/archives/partial", "sources"])
    mkdirSync(join(dir, name), { recursive: true });
  for (const file of await sourceFiles())
    await Bun.write(join(dir, "sources", basename(file)), forSources(await Bun.file(file).text()));
  const own = [
    ...["-o", "Dir::Etc::sourcelist=-", "-o", `Dir::Etc::sourceparts=${join(dir, "sources")}`],
    ...["-o", `Dir::State::lists=${join(dir, "lists")}`, "-o", `Dir::Cache=${join(dir, "cache")}`],
    ...["-o", "APT::Sandbox::User="],
  ];
  await run(["apt-get", "-q", ...own, "update"], { cwd: dir });
  await run(["apt-get", "-q", ...own, "source", "--download-only", "busybox"], { cwd: dir });
  const tarball = readdirSync(dir).find((name) => /^busybox_.*\.orig\.tar\.\w+$/.test(name));
  if (tarball === undefined) throw new UserError(`apt-get left no source of busybox in ${dir}.`);
  return join(dir, tarball);
}

async function build(dir: string, tarball: string): Promise<void> {
  const source = join(dir, "source");
  mkdirSync(source);
  await run(["tar", "-x", "-f", tarball, "-C", source, "--strip-components=1"]);
  await makeIn(source, "busybox", "defconfig");
  const config = join(source, ".config");
  const names = SETTINGS.map((line) => line.replace(/=.*/, ""));
  const kept = (await Bun.file(config).text())
    .split("\n")
    .filter((line) => !names.some((name) => line.includes(`${name}=`) || line.includes(`${name} is`)));
  await Bun.write(config, `${[...kept, ...SETTINGS].join("\n")}\n`);
  await makeIn(source, "busybox", "busybox");
  renameSync(join(source, "busybox"), join(dir, "busybox"));
  for (const name of ["source", "lists", "cache", "sources"]) rmSync(join(dir, name), { recursive: true });
}
