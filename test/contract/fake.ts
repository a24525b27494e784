/** The contract over the fake kernel. */

import { SIGPIPE } from "../../syscalls/index.ts";
import { device, fakeKernel } from "../../syscalls/fake.ts";
import { cases } from "./cases.ts";
import { type Outcome, type World, runContract } from "./contract.ts";

/** The cases that the fake kernel can run. */
export const fakedCases = cases.filter((each) => each.notFaked === undefined);

/** @throws Error at the first call that does not keep the contract */
export async function runFaked(release: string): Promise<Outcome> {
  const { sys, spawn, exit } = fakeKernel({
    rootfs: { tmp: {}, proc: {}, dev: { console: device("char", "5:1"), null: device("char", "1:3") } },
    rootMovable: true,
    mounts: [
      { at: "/proc", type: "proc" },
      { at: "/tmp", type: "tmpfs" },
    ],
    ignoredSignals: [SIGPIPE],
    release,
  });
  let lastPid = 100;
  const world: World = {
    role: "root",
    dir: "/tmp",
    pid: 1,
    release,
    terminal: "/dev/console",
    orphan(fate) {
      lastPid += 1;
      spawn({ pid: lastPid, name: "orphan" });
      if (fate !== "stays") exit(lastPid, fate.exits);
      return lastPid;
    },
  };
  return await runContract(sys, world, fakedCases);
}
