/** How process 1 starts a program. */

import { RLIMIT_NOFILE, SysError, type Rlimit, type Syscalls, X_OK } from "../../../syscalls/index.ts";
import { fromBytes, text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import type { Span } from "../timing/timing.ts";

/** Where programs are looked for, here and by the builder, which puts them where it finds them (image/recipes/look.ts). */
export const toolDirectories: readonly string[] = [
  ...["/usr/local/sbin", "/usr/local/bin"],
  ...["/usr/sbin", "/usr/bin", "/sbin", "/bin"],
];

/**
 * The whole environment of a child, but for what it is given besides. Nothing of the kernel command line is in it:
 * there LD_PRELOAD and its like may stand.
 */
export const toolEnvironment: Readonly<Record<string, string>> = {
  PATH: toolDirectories.join(":"),
  HOME: "/",
  TERM: "linux",
};

type Stdio = "ignore" | "inherit" | number | Uint8Array;

export interface Start {
  /** The program and its arguments, byte strings that are UTF-8. A program without a slash is looked for. */
  readonly argv: readonly string[];
  /** Variables besides `toolEnvironment`, byte strings that are UTF-8. */
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors 0, 1 and 2; every other is closed. */
  readonly stdio: readonly [stdin: Stdio, stdout: Stdio, stderr: Stdio];
}

/**
 * Starts a program in `/`, in a session and a process group of its own (setsid(2)), with all signals at their
 * default and with the limit on open files that the kernel set. Orphans are reaped from then on (reaper.ts).
 * When it can't be started the result says why, as a clause that fits behind its name: "does not exist".
 */
export function startProgram(boot: Boot, { argv, env, stdio }: Start): Bun.Subprocess | string {
  const [name = "", ...args] = argv;
  const program = name.includes("/") ? name : findProgram(boot.sys, name);
  if (program === undefined) return "is not in the image";
  const foreign = [program, ...args, ...Object.values(env ?? {})].find((word) => decode(word) === undefined);
  if (foreign !== undefined) return `can't be given '${text(foreign)}', which is not UTF-8`;
  const words = [program, ...args].map((word) => decode(word) ?? "");
  const variables = Object.entries({ ...toolEnvironment, ...env }).map(([key, value]) => [
    key,
    decode(value) ?? "",
  ]);
  const span = boot.timing.begin("child", [name, ...args].map(text).join(" "));
  try {
    const child = withLimit(boot.sys, boot.legacy.openFiles, () =>
      Bun.spawn(words, {
        cwd: "/",
        env: Object.fromEntries(variables),
        stdio: [...stdio],
        detached: true,
      }),
    );
    boot.reaper.watch(child);
    if (boot.timing.isOn) void noteEnd(child, span);
    return child;
  } catch (error) {
    span.ends("not started");
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return refusals[code] ?? `can't be started: ${describe(error)}`;
  }
}

async function noteEnd(child: Bun.Subprocess, span: Span): Promise<void> {
  await child.exited.catch(() => undefined);
  span.ends(child.signalCode === null ? `status ${child.exitCode}` : String(child.signalCode));
}

/** True when a program of this name can be started: nobody need be asked for what nothing can use. */
export function hasProgram(sys: Syscalls, name: string): boolean {
  return findProgram(sys, name) !== undefined;
}

/** What execve(2) answers, as clauses. */
const refusals: Readonly<Record<string, string>> = {
  ENOENT: "does not exist, or its interpreter does not",
  EACCES: "may not be executed",
  ENOEXEC: "is neither an ELF program nor a script that begins with #!",
  ENOMEM: "can't be started: there is too little memory",
};

function findProgram(sys: Syscalls, name: string): string | undefined {
  if (name === "") return undefined;
  return toolDirectories.map((directory) => `${directory}/${name}`).find((path) => mayRun(sys, path));
}

function mayRun(sys: Syscalls, path: string): boolean {
  try {
    sys.access(path, X_OK);
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

// The runtime takes text and writes UTF-8: other bytes would come out as others.
function decode(byteString: string): string | undefined {
  const decoded = Buffer.from(byteString, "latin1").toString("utf8");
  return byteString.includes("\0") || fromBytes(Buffer.from(decoded)) !== byteString ? undefined : decoded;
}

/**
 * The runtime raised its own limit, and a child inherits it: a program that closes every descriptor it might have
 * would be at it for long. The child is made before `start` returns.
 */
function withLimit<T>(sys: Syscalls, limit: Rlimit, start: () => T): T {
  const raised = sys.getrlimit(RLIMIT_NOFILE);
  setLimit(sys, limit);
  try {
    return start();
  } finally {
    setLimit(sys, raised);
  }
}

function setLimit(sys: Syscalls, limit: Rlimit): void {
  try {
    sys.setrlimit(RLIMIT_NOFILE, limit);
  } catch (error) {
    // Without CAP_SYS_RESOURCE (process 1 of a container): a child with another limit is better than none.
    if (!(error instanceof SysError)) throw error;
  }
}
