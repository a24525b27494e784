import { expect, test } from "bun:test";
import { Turns } from "../../../../src/boot/devices/turns.ts";
import { inVirtualTime } from "../../../fixtures/virtual-time.ts";

test("no more is under way than may be, and all comes to its turn in order", async () => {
  const turns = new Turns(3, 1000);
  const begun: number[] = [];
  let most = 0;
  let now = 0;
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      turns.take(async () => {
        begun.push(at);
        most = Math.max(most, ++now);
        await Bun.sleep(0);
        now -= 1;
        return at * 2;
      }),
    ),
  );
  expect(most).toBe(3);
  expect(begun).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(results[19]).toBe(38);
});

test("what never ends holds up nothing for long, and gives its place away once", async () => {
  await inVirtualTime(async (advance) => {
    const turns = new Turns(2, 100);
    const stuck = Promise.withResolvers<string>();
    const first = turns.take(() => stuck.promise);
    void turns.take(() => new Promise(() => {}));
    let under = 0;
    const others = Array.from({ length: 10 }, () =>
      turns.take(async () => {
        expect(++under).toBeLessThanOrEqual(2);
        await Promise.resolve();
        under -= 1;
      }),
    );
    await advance(99);
    expect(under).toBe(0);
    await advance(1);
    await Promise.all(others);
    stuck.resolve("late");
    expect(await first).toBe("late");
  });
});

test("who waits for the last of the queue to begin is told once, and not where nothing queued", async () => {
  await inVirtualTime(async (advance) => {
    let told = 0;
    const turns = new Turns(1, 100, () => (told += 1));
    await turns.take(async () => undefined);
    expect([turns.isQueueing, told]).toEqual([false, 0]);
    for (let count = 0; count < 3; count++) void turns.take(() => new Promise(() => {}));
    await advance(100);
    expect([turns.isQueueing, told]).toEqual([true, 0]);
    await advance(100);
    expect([turns.isQueueing, told]).toEqual([false, 1]);
  });
});

test("work that fails gives its place away too", async () => {
  const turns = new Turns(1, 1000);
  const failing = turns.take(() => Promise.reject(new Error("no")));
  const next = turns.take(async () => "yes");
  expect(await next).toBe("yes");
  await expect(failing).rejects.toThrow("no");
});
