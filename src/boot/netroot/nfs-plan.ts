/**
 * How an NFS root is mounted: which versions are tried, and with which options, as mount.nfs(8) does it. Nothing but
 * mount(2) is needed: the kernel asks the server's rpcbind and mountd itself (fs/nfs/fs_context.c).
 */

import { hasOption, optionValue, splitOptions } from "../../storage/option-list.ts";

/** One call of mount(2) to be tried. */
export interface NfsAttempt {
  /** "4.2", "3" */
  readonly version: string;
  readonly data: string;
}

/** What is tried in its order, until the server takes one. */
export interface NfsPlan {
  readonly attempts: readonly NfsAttempt[];
  /** Sentences about options that can't be. */
  readonly warnings: readonly string[];
}

/**
 * Plans the mount of a server at `address` with `options` (those for the filesystem, without ro and its like).
 * @param mayBe3 whether version 3 may be tried where the options name no version
 */
export function planNfs(address: string, options: string, mayBe3: boolean): NfsPlan {
  const rest = splitOptions(options).filter((option) => !NAMES_VERSION.test(option) && !OURS.test(option));
  const versions = versionsFor(options, mayBe3);
  const has3 = versions.some((version) => !version.startsWith("4"));
  const lock = has3 && hasOption(options, "lock");
  return {
    attempts: versions.map((version) => ({ version, data: dataFor(version, address, rest) })),
    warnings:
      lock && versions.length === 1
        ? ["lock is left out of the NFS options: version 3 needs rpc.statd for it, which does not run yet."]
        : [],
  };
}

/** What only a server of version 3 has a use for: the options of mountd, and UDP. */
const ONLY_3 = /^(?:mount(?:port|proto|host|vers|addr)=|udp6?$|proto=udp)/;

const NAMES_VERSION = /^(?:(?:nfs)?vers=|minorversion=|v[234](?:\.\d)?$)/;

/** What mount.nfs(8) keeps for itself, and what we say. */
const OURS = /^(?:addr=|bg$|fg$|retry=)/;

/** The newest first: a server that lacks one answers EPROTONOSUPPORT. */
const VERSIONS_4 = ["4.2", "4.1", "4.0"];

function versionsFor(options: string, mayBe3: boolean): readonly string[] {
  const named = namedVersion(options);
  if (named === "4") return VERSIONS_4;
  if (named !== undefined) return [named];
  if (!mayBe3) return VERSIONS_4;
  return splitOptions(options).some((option) => ONLY_3.test(option)) ? ["3"] : [...VERSIONS_4, "3"];
}

// The last one counts, as for the kernel; minorversion= says more about 4.
function namedVersion(options: string): string | undefined {
  const named = splitOptions(options).flatMap((option) => {
    const [, version] = /^(?:(?:nfs)?vers=|v)(\d(?:\.\d)?)$/.exec(option) ?? [];
    return version === undefined ? [] : [version];
  });
  const minor = optionValue(options, "minorversion");
  const version = named.at(-1);
  return minor !== undefined && (version === undefined || version === "4") ? `4.${minor}` : version;
}

// Before version 4 locks need rpc.statd, which can't run here: so they are kept to this machine, as the kernel's own
// root has it (fs/nfs/nfsroot.c).
function dataFor(version: string, address: string, rest: readonly string[]): string {
  const is4 = version.startsWith("4");
  const fitting = is4 ? rest : rest.filter((option) => option !== "lock" && option !== "nolock");
  return [`vers=${version}`, ...fitting, ...(is4 ? [] : ["nolock"]), `addr=${address}`].join(",");
}
