/** Mounts an NFS root: tries the versions in their order, and again while the server does not answer yet. */

import { MS_RDONLY, SysError, isErrno } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { waitInTheOpen } from "../wait.ts";
import { bracketed } from "./host.ts";
import type { NetMeans } from "./means.ts";
import { type NfsAttempt, planNfs } from "./nfs-plan.ts";

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
  const is = (major: string) => attempts.some(({ version }) => version.startsWith(major));
  // The kernel asks for the module of a version by modprobe, which is not here.
  await means.loadModules(["fs-nfs", ...["2", "3", "4"].filter(is).map((major) => `nfsv${major}`)]);
  const trying = new Trying(means, mount, attempts);
  const done = await waitInTheOpen(boot, {
    look: async () => trying.result,
    changed: () => trying.changed(),
    describe: async () => trying.describe(),
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  trying.stop();
  if (done instanceof UserError) throw done;
  if (done === undefined) throw trying.gaveUp();
  const { version, readOnly } = done;
  const access = readOnly ? "read-only" : "read-write";
  boot.log.info(`mounted ${titleOf(mount)} (NFS ${version}) as the root, ${access}`);
}

interface Mounted {
  readonly version: string;
  readonly readOnly: boolean;
}

/** The attempts, one after the other. A call that the kernel does not come back from leaves the console free. */
class Trying {
  result: Mounted | UserError | undefined;
  private readonly means: NetMeans;
  private readonly mount: NfsMount;
  private readonly attempts: readonly NfsAttempt[];
  /** What the server answered last, when it may answer otherwise later. */
  private answer: SysError | undefined;
  private stopped = false;
  private waiters: (() => void)[] = [];

  constructor(means: NetMeans, mount: NfsMount, attempts: readonly NfsAttempt[]) {
    this.means = means;
    this.mount = mount;
    this.attempts = attempts;
    void this.run();
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  stop(): void {
    this.stopped = true;
  }

  describe(): string {
    const so = this.answer === undefined ? "" : `, which ${clauseFor(this.answer)} so far`;
    return `waiting for the NFS server ${text(this.mount.server)}${so}`;
  }

  gaveUp(): UserError {
    const { answer, mount } = this;
    const what = answer === undefined ? "does not answer" : clauseFor(answer);
    return new UserError(
      `The root ${titleOf(mount)} was not mounted: the server ${what}.`,
      "Is it up, and can it be reached from here? rd.timeout= says how long to wait for it.",
    );
  }

  private async run(): Promise<void> {
    // No event of the kernel tells that a server has come up.
    for (;;) {
      const result = await this.round();
      if (this.stopped && !(result instanceof UserError) && result !== undefined) return this.takeBack();
      this.result = result;
      this.wake();
      if (result !== undefined || this.stopped) return;
      await Bun.sleep(PAUSE_MS);
    }
  }

  /** All versions once: mounted, refused for good, or nothing that lasts. */
  private async round(): Promise<Mounted | UserError | undefined> {
    const { boot } = this.means;
    const answers: { readonly version: string; readonly error: SysError }[] = [];
    for (const { version, data } of this.attempts) {
      boot.log.debug(`mounting ${titleOf(this.mount)} by NFS ${version}: ${text(data)}`);
      try {
        const readOnly = await this.mountOnce(data);
        return { version, readOnly };
      } catch (error) {
        if (!(error instanceof SysError)) return new UserError(describe(error));
        if (isErrno(error, ...PASSING)) {
          this.answer = error;
          return undefined;
        }
        answers.push({ version, error });
        if (!isErrno(error, ...NOT_THIS_VERSION)) break;
      }
    }
    return refused(this.mount, answers);
  }

  // As the kernel does for its own root: what may only be read can still be read.
  private async mountOnce(data: string): Promise<boolean> {
    const { sys, log } = this.means.boot;
    const { server, path, target, flags } = this.mount;
    const source = `${bracketed(server)}:${path}`;
    const readOnly = (flags & MS_RDONLY) !== 0;
    try {
      await sys.slow.mount(source, target, "nfs", flags, data);
      return readOnly;
    } catch (error) {
      if (readOnly || !isErrno(error, "EROFS")) throw error;
      log.warning(`${titleOf(this.mount)} can't be written to; mounting it read-only.`);
      await sys.slow.mount(source, target, "nfs", flags | MS_RDONLY, data);
      return true;
    }
  }

  // Nobody waits for it any more, and what is mounted instead must not be covered.
  private takeBack(): void {
    void this.means.boot.sys.slow.umount(this.mount.target, 0).catch(() => undefined);
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }
}

const PAUSE_MS = 2000;

/** What a server that boots, or a network that settles, may answer otherwise soon (nfs_is_permanent_error() of nfs-utils). */
const PASSING = [
  ...["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"],
  ...["ETIMEDOUT", "EAGAIN", "ESTALE", "EADDRNOTAVAIL"],
];

/**
 * After which the next older version is tried (nfs_autonegotiate() of nfs-utils): servers without a root of version 4
 * answer ENOENT, old ones EPERM, and kernels without a version EINVAL.
 */
const NOT_THIS_VERSION = ["EPROTONOSUPPORT", "EINVAL", "ENOENT", "EPERM"];

function titleOf({ server, path }: NfsMount): string {
  return text(`${bracketed(server)}:${path}`);
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
