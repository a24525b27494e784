/**
 * The contract of Syscalls, kept by bun:ffi, by a compiled binary, by node-ffi-napi under Node.js and, as
 * far as it goes, by the fake kernel; with the same transcript by all of them.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { fromBytes } from "../../src/lib/bytes.ts";
import { METHODS } from "../../syscalls/methods.ts";
import { notInCases } from "./cases.ts";
import type { Role } from "./contract.ts";
import { fakedCases, runFaked } from "./fake.ts";
import type { Report } from "./main.ts";

const built = join(import.meta.dir, "../../build/contract");
const source = (name: string) => join(import.meta.dir, name);

/** The ways to make system calls, as command lines that take the words of main.ts. */
const runtimes = {
  "bun:ffi": [process.execPath, source("bun.ts")],
  "bun:ffi in a compiled binary": [join(built, "compiled")],
  "node-ffi-napi": ["node", join(built, "node.js")],
} as const;
type Runtime = keyof typeof runtimes;
const others = ["bun:ffi in a compiled binary", "node-ffi-napi"] as const;

const isRoot = process.getuid?.() === 0;
const ownMounts = ["unshare", "--mount", "--net", "--propagation=private", "--"];
const ownProcesses = ["unshare", "--pid", "--fork", "--"];
const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
/** How each role is taken on; undefined where it can't be: in a container, or where nobody can't read the programs. */
const roles: Readonly<Record<Role, readonly string[] | undefined>> = {
  root: isRoot && succeeds([...ownMounts, "true"]) ? ownMounts : undefined,
  user: isRoot ? (succeeds([...asNobody, "test", "-r", source("bun.ts")]) ? asNobody : undefined) : [],
};

beforeAll(async () => {
  mkdirSync(built, { recursive: true });
  await Promise.all([
    build(["--compile", "--bytecode", `--outfile=${built}/compiled`, source("bun.ts")]),
    build(["--target=node", "--external=node-ffi-napi", `--outfile=${built}/node.js`, source("node.ts")]),
  ]);
});
afterAll(() => rmSync(built, { recursive: true }));

for (const role of Object.keys(roles) as Role[]) {
  const why = roles[role] === undefined ? " (skipped: this machine lets nobody take that role on)" : "";
  describe.skipIf(roles[role] === undefined)(`the contract as ${role}${why}`, () => {
    let reference: Report;
    beforeAll(async () => {
      reference = await runCases("bun:ffi", role);
    });

    test("is kept by bun:ffi, every method called", () => {
      const missing = Object.keys(METHODS).filter((method) => !reference.called.includes(method));
      expect(missing).toEqual(Object.keys(notInCases));
      expect(reference.transcript.length).toBeGreaterThan(missing.length);
    });

    test.each(others)("is kept by %s in the same words", async (runtime) => {
      const { transcript } = await runCases(runtime, role);
      expect(transcript).toEqual([...reference.transcript]);
    });

    // The fake kernel knows no users: it does what root may do.
    if (role !== "root") return;
    test("is kept by the fake kernel in the same words", async () => {
      const names = fakedCases.map((each) => `${each.name}: `);
      const modelled = reference.transcript.filter((line) => names.some((name) => line.startsWith(name)));
      const { transcript } = await runFaked(release());
      expect(transcript).toEqual(modelled);
    });
  });
}

test.each(Object.keys(runtimes) as Runtime[])("%s runs another program in its place", async (runtime) => {
  const { stdout, status } = await run([...runtimes[runtime], "exec"]);
  expect(status).toBe(7);
  // Arguments and variables arrive byte for byte, and no others.
  expect(fromBytes(stdout)).toBe("a b||\xff|X=\xfe\0");
});

const endings = [
  ["restart", "SIGHUP"],
  ["halt", "SIGINT"],
  ["power_off", "SIGINT"],
] as const;
describe.skipIf(!isRoot || !succeeds([...ownProcesses, "true"])).each(Object.keys(runtimes) as Runtime[])(
  "%s",
  (runtime) => {
    test.each(endings)("ends its process namespace by reboot, %s", async (action, signal) => {
      const outer = readlinkSync("/proc/self/ns/pid");
      const { status } = await run([...ownProcesses, ...runtimes[runtime], "reboot", action, outer]);
      expect(status).toBe(signal);
    });
  },
);

/** Runs the cases in a role and returns what came of them. */
async function runCases(runtime: Runtime, role: Role): Promise<Report> {
  const dir = mkdtempSync(join(tmpdir(), "contract-"));
  try {
    chmodSync(dir, 0o777);
    const { stdout, status, stderr } = await run([
      ...(roles[role] ?? []),
      ...runtimes[runtime],
      "cases",
      role,
      dir,
    ]);
    if (status !== 0) throw new Error(`${runtime} as ${role}: ${stderr}`);
    return JSON.parse(Buffer.from(stdout).toString()) as Report;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** A program's output and its exit status, or the signal that ended it. */
async function run(command: readonly string[]) {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe", stdin: "ignore", timeout: 20_000 });
  const [stdout, stderr] = await Promise.all([child.stdout.bytes(), child.stderr.text(), child.exited]);
  return { stdout, stderr, status: child.signalCode ?? child.exitCode };
}

async function build(command: readonly string[]): Promise<void> {
  const { status, stderr } = await run([process.execPath, "build", "--format=esm", ...command]);
  if (status !== 0) throw new Error(`the contract can't be built: ${stderr}`);
}

function succeeds(command: string[]): boolean {
  return Bun.spawnSync(command).success;
}
