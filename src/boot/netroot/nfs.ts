/** Mounts an NFS root: tries the versions in their order, and again while the server does not answer yet. */

import { MS_RDONLY, SysError, isErrno } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { bracketed } from "./host.ts";
import type { NetMeans } from "./means.ts";
import { type NfsAttempt, planNfs } from "./nfs-plan.ts";
import { type Outcome, keepTrying } from "./trying.ts";

/** A directory of a server, and how it is mounted. */
export interface NfsMount {
  /** As it was named. */
  readonly server: string;
  /** Its numbers. */
  readonly address: string;
  readonly path: string;
  readonly mayBe3: boolean;
  /** MS_* */
  readonly flags: number;
  readonly options: string;
  readonly target: string;
}

/**
 * Mounts it, waiting for a server that can't be reached or refuses yet until the deadline of the root.
 * @throws UserError with the server's answer
 */
export async function mountNfs(means: NetMeans, mount: NfsMount): Promise<void> {
  const { boot } = means;
  const { attempts, warnings } = planNfs(mount.address, mount.options, mount.mayBe3);
  for (const warning of warnings) boot.log.warning(warning);
  const is = (major: string): boolean => attempts.some(({ version }) => version.startsWith(major));
  // The kernel asks for the module of a version by modprobe, which is not here.
  await means.loadModules(["fs-nfs", ...["2", "3", "4"].filter(is).map((major) => `nfsv${major}`)]);
  const { version, readOnly } = await keepTrying(boot, {
    attempt: () => tryVersions(boot, mount, attempts),
    what: `the NFS server ${text(mount.server)}`,
    gaveUp: (why, effort) =>
      new UserError(
        `The root ${titleOf(mount)} was not mounted ${effort}: the server${addressOf(mount)} ${why ?? "does not answer"}.`,
        "Is it up, and can it be reached from here? rd.timeout= says how long to wait for it.",
      ),
    timeout_ms: boot.options.deviceTimeout_ms,
    // What is mounted instead by then must not be covered.
    takeBack: () => void boot.sys.slow.umount(mount.target, 0).catch(() => undefined),
  });
  boot.log.info(
    `mounted ${titleOf(mount)} (NFS ${version}) as the root, ${readOnly ? "read-only" : "read-write"}`,
  );
}

interface Mounted {
  readonly version: string;
  readonly readOnly: boolean;
}

/**
 * All versions once. After which answers the next older one is tried is as in nfs_autonegotiate() of nfs-utils: servers
 * and kernels that lack one say EPROTONOSUPPORT or EINVAL; servers without a root of version 4 ENOENT, or EPERM.
 */
async function tryVersions(
  boot: Boot,
  mount: NfsMount,
  attempts: readonly NfsAttempt[],
): Promise<Outcome<Mounted>> {
  const answers: { readonly version: string; readonly error: SysError }[] = [];
  let passed = "";
  for (const { version, data } of attempts) {
    if (version.split(".")[0] === passed) continue;
    boot.log.debug(`mounting ${titleOf(mount)} by NFS ${version}: ${text(data)}`);
    try {
      return { kind: "done", value: { version, readOnly: await mountOnce(boot, mount, data) } };
    } catch (error) {
      if (!(error instanceof SysError)) return { kind: "refused", why: new UserError(describe(error)) };
      if (isErrno(error, ...PASSING)) return { kind: "passing", why: clauseFor(error) };
      answers.push({ version, error });
      if (isErrno(error, "ENOENT", "EPERM")) passed = version.split(".")[0] ?? "";
      else if (!isErrno(error, "EPROTONOSUPPORT", "EINVAL")) break;
    }
  }
  return { kind: "refused", why: refused(mount, answers) };
}

// As the kernel does for its own root: what may only be read can still be read.
async function mountOnce({ sys, log }: Boot, mount: NfsMount, data: string): Promise<boolean> {
  const { server, path, target, flags } = mount;
  const source = `${bracketed(server)}:${path}`;
  const readOnly = (flags & MS_RDONLY) !== 0;
  try {
    await sys.slow.mount(source, target, "nfs", flags, data);
    return readOnly;
  } catch (error) {
    if (readOnly || !isErrno(error, "EROFS")) throw error;
    log.warning(`${titleOf(mount)} can't be written to; mounting it read-only.`);
    await sys.slow.mount(source, target, "nfs", flags | MS_RDONLY, data);
    return true;
  }
}

/** What a server that boots, or a network that settles, may answer otherwise soon (nfs_is_permanent_error() of nfs-utils). */
const PASSING = [
  ...["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"],
  ...["ETIMEDOUT", "EAGAIN", "ESTALE", "EADDRNOTAVAIL"],
];

function titleOf({ server, path }: NfsMount): string {
  return text(`${bracketed(server)}:${path}`);
}

function addressOf({ server, address }: NfsMount): string {
  return server === address ? "" : ` at ${address}`;
}

function clauseFor(error: SysError): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "refuses connections (ECONNREFUSED)";
    case "EHOSTUNREACH":
    case "EHOSTDOWN":
    case "ENETUNREACH":
    case "ENETDOWN":
      return `can't be reached (${error.code})`;
    case "ETIMEDOUT":
    case "EAGAIN":
      return `does not answer (${error.code})`;
    default:
      return `answers: ${error.meaning} (${error.code})`;
  }
}

// The first answer that is not about the version says most.
function refused(
  mount: NfsMount,
  answers: readonly { readonly version: string; readonly error: SysError }[],
): UserError {
  const telling = answers.find(({ error }) => !isErrno(error, "EPROTONOSUPPORT", "EINVAL")) ?? answers.at(-1);
  const code = telling?.error.code ?? "";
  const versions = [...new Set(answers.map(({ version }) => version))].join(", ");
  const { sentence, advice } = REFUSALS[code] ?? {
    sentence: telling === undefined ? "nothing was tried" : `${telling.error.meaning} (${code})`,
    advice: "The kernel's own messages above may say more.",
  };
  return new UserError(
    `The root ${titleOf(mount)} can't be mounted by NFS ${versions}: ${sentence}.`,
    advice,
  );
}

interface Refusal {
  readonly sentence: string;
  readonly advice: string;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  ENODEV: {
    sentence: "the kernel does not know NFS, and the image holds no module for it",
    advice: "Build the image with --network.",
  },
  EACCES: {
    sentence: "the server does not let this machine mount it (EACCES)",
    advice: "Look at its exports: do they name this machine's address?",
  },
  ENOENT: {
    sentence: "the server has no such directory (ENOENT)",
    advice: "Look at the path in root=, and at the server's exports.",
  },
  EPROTONOSUPPORT: {
    sentence: "the server or this kernel has none of these versions (EPROTONOSUPPORT)",
    advice: "Name another version: root=nfs:SERVER:PATH,vers=3.",
  },
  EINVAL: {
    sentence: "the kernel refuses the options (EINVAL)",
    advice: "The kernel's own messages above may say which.",
  },
};
