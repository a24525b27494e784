import { describe, expect, test } from "bun:test";
import { stopProcesses } from "../../../../src/boot/handover/processes.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { type FakeKernel, fakeKernel } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { settle } from "../../../fixtures/virtual-time.ts";

/** A machine with children 50 and so on, of which the first is the runtime's. */
function setting(...pids: number[]) {
  const kernel = fakeKernel({
    rootfs: { proc: {} },
    mounts: [{ at: "/proc", type: "proc" }],
    processes: [50, ...pids].map((pid) => ({ pid, name: `p${pid}` })),
  });
  const own = Promise.withResolvers<number>();
  const reaper = new Reaper(kernel.sys);
  return { kernel, reaper, own };
}

const left = (kernel: FakeKernel): number[] => [...kernel.machine.processes.all.keys()];

/** What the runtime does when its child has ended. */
function runtimeReaps(kernel: FakeKernel, own: { resolve: (status: number) => void }): void {
  kernel.machine.processes.all.delete(50);
  own.resolve(0);
}

describe("while a child of the runtime lives", () => {
  test("orphans are reaped as they end, and the child is left to the runtime", async () => {
    const { kernel, reaper, own } = setting(51, 52, 53);
    reaper.watch({ pid: 50, exited: own.promise });
    kernel.exit(52);
    await settle();
    expect(left(kernel)).toEqual([50, 51, 53]);
    // Behind a child of the runtime nothing is seen, and nothing is asked for again and again.
    kernel.exit(50);
    await settle();
    kernel.exit(51);
    await settle();
    expect(left(kernel)).toEqual([50, 51, 53]);
    const calls = kernel.calls.length;
    await settle();
    expect(kernel.calls.length).toBe(calls);
    runtimeReaps(kernel, own);
    await settle();
    expect(left(kernel)).toEqual([53]);
    // What the child has left behind is reaped still.
    kernel.exit(53);
    await settle();
    expect(left(kernel)).toEqual([]);
  });

  test("its end may come before we look, and by an error", async () => {
    const { kernel, reaper, own } = setting(51);
    reaper.watch({ pid: 50, exited: own.promise });
    kernel.exit(50);
    kernel.machine.processes.all.delete(50);
    own.reject(new Error("ECHILD"));
    await settle();
    kernel.exit(51);
    await settle();
    expect(left(kernel)).toEqual([]);
  });

  test("one look is under way, not one for each child", async () => {
    const { kernel, reaper } = setting(51);
    for (const pid of [50, 51]) reaper.watch({ pid, exited: new Promise(() => undefined) });
    await settle();
    expect(kernel.calls.filter(({ name }) => name === "slow.peekChild")).toHaveLength(1);
  });

  test("without a thread for the look it goes on at the next child", async () => {
    const { kernel, own } = setting(51);
    let refuse = true;
    const sys = intercept(kernel.sys, (call, proceed) =>
      call.name === "slow.peekChild" && refuse
        ? Promise.reject(refusalOf(call.name, call.args, "EAGAIN"))
        : proceed(),
    );
    const reaper = new Reaper(sys);
    reaper.watch({ pid: 50, exited: own.promise });
    kernel.exit(51);
    await settle();
    expect(left(kernel)).toEqual([50, 51]);
    refuse = false;
    reaper.watch({ pid: 60, exited: Promise.resolve(0) });
    await settle();
    expect(left(kernel)).toEqual([50]);
  });
});

describe("asked at once", () => {
  test("takes all orphans that have ended, up to a child of the runtime", () => {
    const { kernel, reaper } = setting(51, 52);
    const sorted = new Reaper(kernel.sys);
    kernel.exit(51);
    kernel.exit(52);
    sorted.reap();
    expect(left(kernel)).toEqual([50]);
    reaper.watch({ pid: 50, exited: new Promise(() => undefined) });
    kernel.exit(50);
    reaper.reap();
    expect(left(kernel)).toEqual([50]);
  });

  test("nobody there is nothing to do, and no end to wait for", async () => {
    const { sys } = fakeKernel();
    const reaper = new Reaper(sys);
    reaper.reap();
    const winner = await Promise.race([reaper.nextEnd().then(() => "an end"), settle().then(() => "none")]);
    expect(winner).toBe("none");
  });

  test("the hand-over ends a child that was given up, and the runtime has its status", async () => {
    const { kernel, reaper, own } = setting();
    reaper.watch({ pid: 50, exited: own.promise });
    const stopped = stopProcesses(kernel.sys, collectLog().log, reaper);
    await settle();
    expect(left(kernel)).toEqual([50]);
    runtimeReaps(kernel, own);
    expect(await stopped).toEqual([]);
    expect(kernel.calls.some(({ name, args }) => name === "waitid" && args[0] === 50)).toBe(false);
  });
});
