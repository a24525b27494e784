/**
 * A busybox with everything that it has by default, runit's programs among it, which distributions leave out of theirs:
 * built from the distribution's source package. Kept in the cache; root not needed.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../src/lib/errors.ts";
import { cacheDir, fingerprint, run, tryRun, withLock } from "../host.ts";
import { distributionIds } from "../stock.ts";

/** The configuration besides `make defconfig`. */
const SETTINGS: readonly string[] = ["CONFIG_STATIC=y", 'CONFIG_SV_DEFAULT_SERVICE_DIR="/etc/runit/sv"'];

/** Where sources are, by ID of os-release(5). */
const ARCHIVES: Readonly<Record<string, { readonly uri: string; readonly component: string }>> = {
  debian: { uri: "http://deb.debian.org/debian", component: "main" },
  ubuntu: { uri: "http://archive.ubuntu.com/ubuntu", component: "main" },
};

/** The path of the program. The first time fetches its source and compiles it, which takes a minute or two. */
export async function fullBusybox(): Promise<string> {
  const dir = join(cacheDir(), `busybox-${fingerprint(...SETTINGS)}`);
  const program = join(dir, "busybox");
  if (existsSync(program)) return program;
  return withLock("busybox", async () => {
    if (existsSync(program)) return program;
    const half = `${dir}.part`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(half, { recursive: true });
    await build(half, await fetchSource(half));
    renameSync(half, dir);
    return program;
  });
}

// By apt-get with lists of its own, as the machine's have no sources in them.
async function fetchSource(dir: string): Promise<string> {
  const release = await Bun.file("/etc/os-release").text();
  const codename = /^VERSION_CODENAME=["']?([\w-]+)/m.exec(release)?.[1];
  const id = distributionIds(release).find((one) => Object.hasOwn(ARCHIVES, one));
  const archive = id === undefined ? undefined : ARCHIVES[id];
  if (archive === undefined || codename === undefined)
    throw new UserError(
      "It is not known where this distribution has its sources.",
      "Add it to qemu/userlands/busybox-build.ts.",
    );
  for (const name of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(dir, name), { recursive: true });
  const list = join(dir, "sources.list");
  await Bun.write(list, `deb-src ${archive.uri} ${codename} ${archive.component}\n`);
  const own = [
    ...["-o", `Dir::Etc::sourcelist=${list}`, "-o", "Dir::Etc::sourceparts=-"],
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
  await make(source, "defconfig");
  const config = join(source, ".config");
  const names = SETTINGS.map((line) => line.replace(/=.*/, ""));
  const kept = (await Bun.file(config).text())
    .split("\n")
    .filter((line) => !names.some((name) => line.includes(`${name}=`) || line.includes(`${name} is`)));
  await Bun.write(config, `${[...kept, ...SETTINGS].join("\n")}\n`);
  await make(source, "busybox");
  renameSync(join(source, "busybox"), join(dir, "busybox"));
  for (const name of ["source", "lists", "cache"]) rmSync(join(dir, name), { recursive: true });
}

async function make(source: string, target: string): Promise<void> {
  const log = join(source, "make.log");
  const argv = ["nice", "-n", "10", "make", "-s", "-j2", "-C", source, target];
  const { status, stderr } = await tryRun(argv, { log });
  if (status === 0) return;
  const words = stderr.trimEnd().split("\n").slice(-15).join("\n");
  throw new UserError(`Building busybox failed at '${target}':\n${words}`, `The whole log is in ${log}.`);
}
