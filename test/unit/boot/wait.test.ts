import { expect, test } from "bun:test";
import { sayIfSlow, waitInTheOpen } from "../../../src/boot/wait.ts";
import { fakeKernel } from "../../../syscalls/fake.ts";
import { bootOn } from "../../fixtures/disks-in-memory.ts";
import { inVirtualTime } from "../../fixtures/virtual-time.ts";

interface Scene {
  readonly lines: string[];
  /** What `look` finds from now on. */
  value: string | undefined;
  word: string;
  looks: number;
  readonly result: Promise<string | undefined>;
  /** Wakes the wait. */
  wake(): void;
}

function begin(timeout_ms: number | undefined, line = "", isHeld = () => false): Scene {
  const { boot, lines } = bootOn(fakeKernel().sys, line);
  let wakers: (() => void)[] = [];
  const scene = {
    lines,
    value: undefined as string | undefined,
    word: "waiting for it",
    looks: 0,
    wake() {
      for (const waker of wakers.splice(0)) waker();
    },
  };
  const result = waitInTheOpen(boot, {
    look: async () => {
      scene.looks += 1;
      return scene.value;
    },
    changed: () => new Promise((resolve) => wakers.push(resolve)),
    describe: async () => scene.word,
    timeout_ms,
    isHeld,
  });
  return Object.assign(scene, { result });
}

test("what is there is taken at once, without a word", async () => {
  await inVirtualTime(async (advance) => {
    const scene = begin(1000);
    scene.value = "here";
    scene.wake();
    await advance(0);
    expect(await scene.result).toBe("here");
    expect(scene.lines).toEqual([]);
  });
});

test("an event ends the wait at its own time, and it looks only at events", async () => {
  await inVirtualTime(async (advance) => {
    const scene = begin(30_000);
    await advance(500);
    expect(scene.looks).toBe(1);
    scene.wake();
    await advance(0);
    expect(scene.looks).toBe(2);
    scene.value = "came";
    scene.wake();
    await advance(0);
    expect(await scene.result).toBe("came");
    expect(scene.lines).toEqual([]);
  });
});

test("a long wait speaks after a second, and again when there is something new", async () => {
  await inVirtualTime(async (advance) => {
    const scene = begin(30_000);
    await advance(999);
    expect(scene.lines).toEqual([]);
    await advance(1);
    expect(scene.lines).toEqual(["notice: waiting for it (giving up in 29 s)"]);
    scene.wake();
    await advance(5000);
    expect(scene.lines).toHaveLength(1);
    scene.word = "waiting; there is vda";
    scene.wake();
    await advance(0);
    expect(scene.lines[1]).toBe("notice: waiting; there is vda (giving up in 24 s)");
    await advance(24_000);
    expect(await scene.result).toBeUndefined();
  });
});

test("what is there is told once, and again when it differs; nothing is said where the wait has no word", async () => {
  await inVirtualTime(async (advance) => {
    const { boot, lines } = bootOn(fakeKernel().sys);
    const now = { word: undefined as string | undefined, detail: "there is vda" };
    let wake: (() => void) | undefined;
    void waitInTheOpen(boot, {
      look: async () => undefined,
      changed: () => new Promise((resolve) => (wake = resolve)),
      describe: async () => now.word,
      detail: async () => now.detail,
      timeout_ms: undefined,
    });
    const say = async (word: string | undefined, detail: string): Promise<string[]> => {
      Object.assign(now, { word, detail });
      wake?.();
      await advance(0);
      return lines.splice(0);
    };
    await advance(2000);
    expect(lines).toEqual([]);
    expect(await say("waiting", "there is vda")).toEqual(["notice: waiting; there is vda"]);
    expect(await say("waiting on", "there is vda")).toEqual(["notice: waiting on"]);
    expect(await say(undefined, "there is vdb")).toEqual([]);
    expect(await say("waiting on", "there is vdb")).toEqual(["notice: waiting on; there is vdb"]);
    expect(await say("waiting on", "there is vdb")).toEqual([]);
  });
});

test("quiet waits three seconds before it speaks", async () => {
  await inVirtualTime(async (advance) => {
    const scene = begin(10_000, "quiet");
    await advance(2999);
    expect(scene.lines).toEqual([]);
    await advance(1);
    expect(scene.lines).toHaveLength(1);
    await advance(7000);
    expect(await scene.result).toBeUndefined();
  });
});

test("the deadline is kept to the millisecond, events or not", async () => {
  await inVirtualTime(async (advance) => {
    const scene = begin(100);
    let over = false;
    void scene.result.then(() => (over = true));
    for (let time_ms = 0; time_ms < 99; time_ms += 9) {
      scene.wake();
      await advance(9);
    }
    expect(over).toBe(false);
    await advance(1);
    expect(over).toBe(true);
  });
});

test("without a deadline it waits on, and says none", async () => {
  await inVirtualTime(async (advance) => {
    const scene = begin(undefined);
    await advance(1000);
    // Longer than a timer can be set for.
    for (let month = 0; month < 3; month++) await advance(2 ** 31);
    expect(scene.lines).toEqual(["notice: waiting for it"]);
    // An idle wait does not poll.
    expect(scene.looks).toBeLessThan(8);
    scene.value = "late";
    scene.wake();
    await advance(0);
    expect(await scene.result).toBe("late");
  });
});

test("what nothing can cut short is named when it takes long, once, and later with quiet", async () => {
  await inVirtualTime(async (advance) => {
    for (const [line, silent_ms] of [
      ["", 1000],
      ["quiet", 3000],
    ] as const) {
      const { boot, lines } = bootOn(fakeKernel().sys, line);
      const work = Promise.withResolvers<string>();
      const result = sayIfSlow(boot, "still at it", work.promise);
      await advance(silent_ms - 1);
      expect(lines).toEqual([]);
      await advance(1);
      expect(lines).toEqual(["notice: still at it"]);
      await advance(60_000);
      work.resolve("done");
      expect(await result).toBe("done");
      expect(lines).toHaveLength(1);
    }
    const { boot, lines } = bootOn(fakeKernel().sys);
    expect(await sayIfSlow(boot, "never said", Promise.resolve(1))).toBe(1);
    await advance(5000);
    expect(lines).toEqual([]);
  });
});

test("a deadline that is held does not come nearer, and counts again once it is let go", async () => {
  await inVirtualTime(async (advance) => {
    let held = true;
    const scene = begin(3000, "", () => held);
    await advance(60_000);
    expect(scene.lines).toEqual(["notice: waiting for it"]);
    // A held wait does not poll.
    expect(scene.looks).toBeLessThan(4);
    held = false;
    scene.word = "still waiting";
    scene.wake();
    await advance(0);
    expect(scene.lines.at(-1)).toMatch(/^notice: still waiting \(giving up in 3 s\)$/);
    await advance(3000);
    expect(await scene.result).toBeUndefined();
  });
});
