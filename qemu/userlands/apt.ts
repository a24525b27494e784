/** The build machine's apt as mmdebstrap shall use it: its sources, and how it reaches them. */

import { existsSync } from "node:fs";
import { UserError } from "../../src/lib/errors.ts";
import { run } from "../host.ts";

/** What this machine says of itself in os-release(5), as far as its packages are concerned. */
export interface Release {
  /** "debian". */
  readonly id: string;
  /** "bookworm"; undefined where the distribution gives none. */
  readonly codename: string | undefined;
}

/** The release of this machine. */
export async function machineRelease(): Promise<Release> {
  return parseRelease(await Bun.file("/etc/os-release").text());
}

/** ID and VERSION_CODENAME of an os-release(5) text. */
export function parseRelease(osRelease: string): Release {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=["']?([^"'\\n]+)`, "m").exec(osRelease)?.[1];
  return { id: value("ID") ?? "linux", codename: value("VERSION_CODENAME") };
}

/**
 * The files of /etc/apt that name Debian's own archives, sources.list(5) of either form. They are given to mmdebstrap
 * as they are, with the options in them. Throws UserError when apt has no list of packages of Debian.
 */
export async function sourceFiles(): Promise<string[]> {
  const argv = [
    "apt-get",
    "indextargets",
    "--format",
    "$(SOURCESENTRY)",
    "Created-By: Packages",
    "Origin: Debian",
  ];
  const files = parseSourceEntries(await run(argv));
  if (files.length === 0)
    throw new UserError("apt knows of no package of Debian here.", "Run 'apt-get update' as root once.");
  return files;
}

/** The files in lines as apt writes its SOURCESENTRY, "/etc/apt/sources.list:3", each once. */
export function parseSourceEntries(lines: string): string[] {
  return [...new Set([...lines.matchAll(/^(\/.*):\d+$/gm)].map(([, file = ""]) => file))];
}

/** What mmdebstrap must be told of apt besides its sources: how to get there. */
export async function networkOptions(): Promise<string[]> {
  const settings = networkSettings(await run(["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"]));
  // Passwords of archives are no settings but files of their own, apt_auth.conf(5).
  const passwords = ["/etc/apt/auth.conf", "/etc/apt/auth.conf.d"].filter((path) => existsSync(path));
  return [
    ...settings.map((setting) => `--aptopt=${setting}`),
    ...passwords.map((path) => `--setup-hook=copy-in ${path} /etc/apt`),
  ];
}

/** Of what `apt-config dump` says of Acquire: proxies, certificates, retries, dates that count. */
export function networkSettings(dump: string): string[] {
  return dump
    .split("\n")
    .filter((line) => /^Acquire::(https?|Retries|ForceIPv\d|Check-)[^ ]* "[^"]+";$/.test(line));
}
