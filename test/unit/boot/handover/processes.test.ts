import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  processesBelow,
  reapAll,
  stopProcesses,
  strayProcesses,
} from "../../../../src/boot/handover/processes.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { type FakeProcess, fakeKernel } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";

function machine(processes: readonly FakeProcess[]) {
  return fakeKernel({ rootfs: { proc: {} }, mounts: [{ at: "/proc", type: "proc" }], processes });
}

const strays = (...processes: FakeProcess[]): [number, string][] =>
  strayProcesses(machine(processes).sys).map(({ pid, name }) => [pid, name]);

describe("who would be left behind", () => {
  test("kernel threads, storage daemons and zombies are not counted", () => {
    const { sys, exit } = machine([
      { pid: 2, ppid: 0, name: "kthreadd", kernelThread: true },
      { pid: 3, name: "a" },
      { pid: 4, name: "dead" },
      { pid: 5, name: "x", argv: ["@plymouthd"] },
      { pid: 6, name: "b", argv: ["/sbin/b", "@"] },
    ]);
    exit(4);
    expect(strayProcesses(sys)).toEqual([
      { pid: 3, name: "a" },
      { pid: 6, name: "/sbin/b" },
    ]);
  });

  test("what the kernel runs for itself is its own, and what that starts; what descends from us is ours", () => {
    expect(
      strays(
        { pid: 2, ppid: 0, name: "kthreadd", kernelThread: true },
        { pid: 20, ppid: 2, name: "kworker/u2:1", kernelThread: true },
        { pid: 30, ppid: 20, name: "modprobe" },
        { pid: 31, ppid: 30, name: "helper" },
        { pid: 40, ppid: 1, name: "sh" },
        { pid: 41, ppid: 40, name: "sleep" },
        { pid: 42, ppid: 999, name: "whose parent is gone" },
      ),
    ).toEqual([
      [40, "sh"],
      [41, "sleep"],
      [42, "whose parent is gone"],
    ]);
  });

  test("a process without arguments goes by its short name, which spares it not", () => {
    expect(strays({ pid: 9, name: "@x", argv: [] })).toEqual([[9, "@x"]]);
    expect(strays({ pid: 9, name: "shy", argv: [""] })).toEqual([[9, "shy"]]);
  });

  test("names that look like the rest of the line", () => {
    for (const name of [") Z 0 (", "a) S 1 1 1 0 -1 2097152", "(", ")", " ", "x\n1 (y) Z", "\xff"])
      expect(strays({ pid: 9, name, argv: [] })).toEqual([[9, name]]);
  });

  test("no name hides a process or takes another's place", () => {
    const character = fc.constantFrom("(", ")", " ", "Z", "S", "1", "@", "\n", "\t");
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 1, maxLength: 15 }), (name) => {
        expect(strays({ pid: 10, name, argv: [] }, { pid: 11, name: "z" })).toEqual([
          [10, name],
          [11, "z"],
        ]);
      }),
    );
  });
});

test("who descends from a process, in however many steps, and not itself", () => {
  const { sys } = machine([
    { pid: 52, ppid: 51, name: "sh" },
    { pid: 50, name: "dropbear" },
    { pid: 51, ppid: 50, name: "session" },
    { pid: 53, ppid: 52, name: "sleep" },
    { pid: 60, name: "udhcpc" },
    { pid: 61, ppid: 60, name: "its child" },
  ]);
  const below = processesBelow(sys, 50).map(({ pid, parent }) => [pid, parent]);
  expect(below.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
    [51, 50],
    [52, 51],
    [53, 52],
  ]);
  expect(processesBelow(sys, 61)).toEqual([]);
});

test("one that ends between two looks at it is nobody", async () => {
  for (const gone of ["/proc/50/stat", "/proc/50/cmdline", "kill"]) {
    const kernel = machine([{ pid: 50, name: "brief" }]);
    let isGone = false;
    const sys = intercept(kernel.sys, ({ name, args }, proceed) => {
      if ((name === "open" && args[0] === gone) || name === gone) {
        if (!isGone) kernel.exit(50);
        isGone = true;
        throw refusalOf(name, args, "ESRCH");
      }
      return proceed();
    });
    expect(await stopProcesses(sys, collectLog().log, new Reaper(sys))).toEqual([]);
    expect(isGone).toBe(true);
  }
});

describe("stopping them", () => {
  test("nothing is looked at when there is no child", async () => {
    const kernel = machine([{ pid: 2, ppid: 0, name: "kthreadd", kernelThread: true }]);
    expect(await stopProcesses(kernel.sys, collectLog().log, new Reaper(kernel.sys))).toEqual([]);
    expect(kernel.calls.map(({ name }) => name)).toEqual(["waitid"]);
  });

  test("one that takes a while is waited for, and not killed", async () => {
    const kernel = machine([{ pid: 50, name: "slow", ignores: [15] }]);
    const stopped = stopProcesses(kernel.sys, collectLog().log, new Reaper(kernel.sys));
    // It is now waited for: its end is the event.
    kernel.exit(50);
    expect(await stopped).toEqual([]);
    expect(kernel.calls.filter(({ name }) => name === "kill").map(({ args }) => args[1])).toEqual([15, 18]);
    expect(kernel.machine.processes.all.size).toBe(0);
  });

  test("one that is forked while the others are being killed is killed too", async () => {
    const kernel = machine([{ pid: 50, name: "hydra", ignores: [15] }]);
    const { processes } = kernel.machine;
    let now_s = 0n;
    const sys = intercept(kernel.sys, ({ name, args }, proceed) => {
      // Each look at the clock finds a deadline passed.
      if (name === "boottime") return (now_s += 10n) * 1_000_000_000n;
      if (name === "kill" && args[1] === 9 && args[0] === 50)
        processes.add({ pid: 51, name: "hydra", ignores: [15] });
      return proceed();
    });
    expect(await stopProcesses(sys, collectLog().log, new Reaper(sys))).toEqual([]);
    expect(processes.all.size).toBe(0);
  });

  test("storage daemons are not signalled and not waited for", async () => {
    const kernel = machine([{ pid: 50, name: "mdmon", argv: ["@mdmon"] }]);
    expect(await stopProcesses(kernel.sys, collectLog().log, new Reaper(kernel.sys))).toEqual([]);
    expect(kernel.calls.some(({ name }) => name === "kill")).toBe(false);
  });

  test("all that have ended are reaped at once", () => {
    const kernel = machine([1, 2, 3].map((n) => ({ pid: 50 + n, name: "z" })));
    for (const n of [51, 52, 53]) kernel.exit(n);
    reapAll(kernel.sys);
    expect(kernel.machine.processes.all.size).toBe(0);
    expect(() => reapAll(kernel.sys)).not.toThrow();
  });
});
