/**
 * The contract as a program of its own, for any driver. `main cases ROLE DIR` prints what came of the
 * cases as JSON; the other words are what a process can do only once.
 */

import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { release } from "node:os";
import { argv, pid } from "node:process";
import { F_SETFD, O_CLOEXEC } from "../../syscalls/constants.ts";
import type { Driver } from "../../syscalls/driver.ts";
import { linux } from "../../syscalls/linux.ts";
import { cases } from "./cases.ts";
import type { RebootAction, Syscalls } from "../../syscalls/types.ts";
import { type Outcome, type Role, type World, runContract } from "./contract.ts";

// sys/prctl.h. Orphans among our descendants become our children, so that there are some nobody else reaps.
const PRCTL = 157;
const PR_SET_CHILD_SUBREAPER = 36;

/** What `cases` prints. */
export interface Report {
  readonly transcript: readonly string[];
  /** The methods that were called. */
  readonly called: readonly string[];
}

/** Does what the command line says: `cases ROLE DIR`, `exec`, or `reboot ACTION NAMESPACE`. */
export async function main(driver: Driver): Promise<void> {
  const sys = linux(driver);
  const [word, first = "", second = ""] = argv.slice(2);
  if (word === "cases") {
    const { transcript, called } = await runCases(driver, sys, first as Role, second);
    const report: Report = { transcript, called: [...called] };
    writeSync(1, JSON.stringify(report));
  } else if (word === "exec") {
    // Node.js has marked them to be closed.
    for (const fd of [0, 1, 2]) sys.fcntl(fd, F_SETFD, 0);
    sys.execve(
      "/bin/sh",
      ["sh", "-c", `printf '%s|' "$@"; cat /proc/$$/environ; exit 7`, "sh", "a b", "", "\xff"],
      ["X=\xfe"],
    );
  } else if (word === "reboot") {
    rebootNamespace(sys, first as RebootAction, second);
  } else {
    throw new Error(`unknown word ${word}`);
  }
}

async function runCases(driver: Driver, sys: Syscalls, role: Role, dir: string): Promise<Outcome> {
  if (driver.call(PRCTL, PR_SET_CHILD_SUBREAPER, 1) !== 0) throw new Error("orphans can't be adopted");
  // The same filesystem below the cases on every machine.
  if (role === "root") sys.mount("none", dir, "tmpfs", 0, "");
  const world: World = {
    role,
    dir,
    pid,
    release: release(),
    terminal: "/dev/ptmx",
    orphan: (fate) => orphan(sys, fate),
  };
  return await runContract(sys, world, cases);
}

/**
 * A child whose parent, a shell, is gone. It lives until its input ends: for one that "stays" with us,
 * for others when nobody but us can be told of it.
 */
function orphan(sys: Syscalls, fate: { readonly exits: number } | "stays"): number {
  const { read, write } = sys.pipe(O_CLOEXEC);
  const status = fate === "stays" ? 0 : fate.exits;
  const script = `sh -c "read x; exit ${status}" <&3 3<&- >/dev/null & echo $!`;
  const { stdout } = spawnSync("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit", read] });
  sys.close(read);
  if (fate !== "stays") sys.close(write);
  return Number(stdout.toString());
}

/**
 * reboot(2) in a process namespace other than the one of `outer` (/proc/self/ns/pid) ends that
 * namespace and nothing else, reboot(2). Anywhere else it would end the machine, so that is made sure of.
 */
function rebootNamespace(sys: Syscalls, action: RebootAction, outer: string): void {
  const inner = sys.readlink("/proc/self/ns/pid");
  if (sys.getpid() !== 1 || !outer.startsWith("pid:[") || inner === outer)
    throw new Error("not in a process namespace of its own");
  sys.reboot(action);
}
