/** The build machine as the harness uses it: its programs, its cache, a lock between two test workers. */

import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../src/lib/errors.ts";

/** Top of the source tree. */
export const PROJECT = resolve(import.meta.dir, "..");

/** Root's programs (mkfs, depmod, sfdisk) lie in the sbin folders, which a user's PATH may leave out. */
const PATH = `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/local/sbin:/usr/sbin:/sbin`;

/** How programs for guests are compiled: they need nothing of the root they run in. */
const GUEST_FLAGS = ["-static", "-Os", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"];

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment; messages are in English with LC_ALL=C throughout. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Where the output goes instead of being returned: a path, written anew. */
  readonly log?: string;
}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 * Throws UserError with the program's last words when it is missing or ends with another status than 0.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await runCounted(argv, options)).stdout;
}

/** As run(), with the seconds of processors that it took. */
export async function runCounted(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly stdout: string; readonly cpu_s: number }> {
  const result = await tryRun(argv, options);
  if (result.status === 0) return result;
  const words = lastWords(result.stderr || result.stdout);
  throw new UserError(`'${argv.join(" ")}' ended with status ${result.status}:\n${words}`);
}

function lastWords(output: string): string {
  return output.trimEnd().split("\n").slice(-15).join("\n");
}

/** As run(), but the status is part of the result. Throws UserError only when the program is missing. */
export async function tryRun(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<{
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds of processors that it took, and all that it started. */
  readonly cpu_s: number;
}> {
  const [name = "", ...words] = argv;
  // Bun writes behind what a file holds.
  if (options.log !== undefined) writeFileSync(options.log, "");
  const child = Bun.spawn([programPath(name), ...words], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: "C", PATH, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
    stdout: options.log === undefined ? "pipe" : Bun.file(options.log),
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout instanceof ReadableStream ? new Response(child.stdout).text() : "",
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const cpu_s = Number(child.resourceUsage()?.cpuTime.total ?? Number.NaN) / 1e6;
  return { status, stdout, stderr, cpu_s };
}

/**
 * Makes `target` of `what` in its build tree, in two jobs at low priority: the machine stays usable. Throws UserError with
 * make's last words when it fails.
 */
export async function makeIn(dir: string, what: string, target: string): Promise<void> {
  const log = join(dir, "make.log");
  const argv = ["nice", "-n", "10", "make", "-s", "-j2", "-C", dir, target];
  const { status, stderr } = await tryRun(argv, { log });
  if (status === 0) return;
  appendFileSync(log, stderr);
  throw new UserError(
    `Building ${what} failed at '${target}':\n${lastWords(stderr)}`,
    `The whole log is in ${log}.`,
  );
}

/** Where a program of this machine lies. Throws UserError when it is missing. */
export function programPath(name: string): string {
  const program = Bun.which(name, { PATH });
  if (program !== null) return program;
  throw new UserError(
    `The program '${name}' is missing.`,
    "'make setup-test' installs the packages that qemu/packages.txt lists.",
  );
}

/**
 * The folder that keeps what is slow to make: $RDINIT_CACHE, else rdinit below the XDG cache folder. Made
 * when missing.
 */
export function cacheDir(): string {
  const env = process.env;
  const dir = resolve(
    env["RDINIT_CACHE"] || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "rdinit"),
  );
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** A short name for anything that was made from exactly these parts: 16 hexadecimal digits of a SHA-256. */
export function fingerprint(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * Compiles a static program for guests from C files, headers named along; its path, kept while the sources
 * stay.
 */
export async function compile(name: string, sources: readonly string[]): Promise<string> {
  const dir = join(PROJECT, "build/guest");
  mkdirSync(dir, { recursive: true });
  const program = join(
    dir,
    `${name}-${fingerprint(...GUEST_FLAGS, ...sources.map((file) => readFileSync(file)))}`,
  );
  if (await Bun.file(program).exists()) return program;
  // Two test workers may build at once: each finishes its own and renames it.
  const half = `${program}.${process.pid}`;
  await run(["cc", ...GUEST_FLAGS, "-o", half, ...sources.filter((file) => file.endsWith(".c"))]);
  renameSync(half, program);
  return program;
}

/**
 * Does `work` while no other process of this user does work under the same name.
 * The lock is flock(1)'s and falls with the process that holds it, however that ends.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const file = join(cacheDir(), `${name}.lock`);
  const holder = Bun.spawn(["flock", file, "sh", "-c", "echo held; read -r _"], {
    env: { PATH },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const first = await holder.stdout.getReader().read();
    if (first.done) throw new UserError(`No lock could be taken on ${file}.`, "Is its folder writable?");
    return await work();
  } finally {
    await holder.stdin.end();
    await holder.exited;
  }
}
