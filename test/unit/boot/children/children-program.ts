/** Run as process 1 of a namespace: forty children at once, each of which leaves three orphans, and who is left over. */

import { readFileSync, readdirSync } from "node:fs";
import { runChild } from "../../../../src/boot/children/children.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { noTiming } from "../../../../src/boot/timing/timing.ts";
import { RLIMIT_NOFILE } from "../../../../syscalls/index.ts";
import { linuxSyscalls } from "../../../../syscalls/native.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";

const sys = linuxSyscalls();
const boot: Boot = {
  sys,
  log: collectLog().log,
  words: [],
  options: readOptions([]).options,
  legacy: { args: [], env: [], openFiles: sys.getrlimit(RLIMIT_NOFILE) },
  reaper: new Reaper(sys),
  timing: noTiming,
};

const orphans = "(sleep 0.01 &) ; (sh -c 'sh -c : & exec sleep 0.02' &) ; (: &)";

async function one(status: number): Promise<number | string> {
  const { end } = await runChild(boot, {
    argv: ["/bin/sh", "-c", `${orphans} ; exit ${status}`],
    name: "tool",
    title: "the tool",
    show: "never",
    deadline_ms: 30_000,
  });
  return end.kind === "exited" ? end.status : end.kind;
}

/** All processes but this one; zombies among them. */
function others(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== "1");
}

const statuses = await Promise.all(Array.from({ length: 40 }, (_, status) => one(status)));
const patience = performance.now() + 10_000;
while (others().length > 0 && performance.now() < patience) await Bun.sleep(10);
const zombies = others().map((pid) => readFileSync(`/proc/${pid}/stat`, "latin1"));
process.stdout.write(JSON.stringify({ pid: process.pid, statuses, zombies }));
process.exit(0);
