import { expect, test } from "bun:test";
import { Queue, type Urgency } from "../../../src/modules/queue.ts";

/** Pieces of work that end when they are told to, and the order in which they began. */
function workshop(places: number) {
  const queue = new Queue(places);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, urgency: Urgency): Promise<string> => {
    queue.announce(name, urgency);
    return queue.run(name, async () => {
      began.push(name);
      await new Promise<void>((end) => ends.set(name, end));
      return `${name} done`;
    });
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await Bun.sleep(0);
  };
  return { queue, began, add, end };
}

test("so many at a time, the most urgent of those that wait first", async () => {
  const { began, add, end } = workshop(1);
  const all = [add("a", "soon"), add("b", "idle"), add("c", "soon"), add("d", "now")];
  await Bun.sleep(0);
  expect(began).toEqual(["a"]);
  for (const name of ["a", "d", "b", "c"]) await end(name);
  expect(began).toEqual(["a", "d", "b", "c"]);
  expect(await Promise.all(all)).toEqual(["a done", "b done", "c done", "d done"]);
});

test("what is held back does not begin, and begins when it is to go on", async () => {
  const { queue, began, add, end } = workshop(2);
  queue.hold();
  const [idle, soon] = [add("idle", "idle"), add("soon", "soon")];
  await Bun.sleep(0);
  expect(began).toEqual(["soon"]);
  queue.goOn();
  await Bun.sleep(0);
  expect(began).toEqual(["soon", "idle"]);
  await end("soon");
  await end("idle");
  expect(await Promise.all([idle, soon])).toEqual(["idle done", "soon done"]);
});

test("what is held back begins when somebody waits for it", async () => {
  const { queue, began, add, end } = workshop(2);
  queue.hold();
  const idle = add("idle", "idle");
  await Bun.sleep(0);
  expect(began).toEqual([]);
  queue.announce("idle", "now");
  await Bun.sleep(0);
  expect(began).toEqual(["idle"]);
  await end("idle");
  expect(await idle).toBe("idle done");
});

test("what is dropped is not done; what is begun, or was asked for otherwise, is", async () => {
  const { queue, began, add, end } = workshop(1);
  const [begun, idle, soon] = [add("begun", "idle"), add("idle", "idle"), add("soon", "soon")];
  await Bun.sleep(0);
  queue.hold();
  queue.dropIdle();
  expect(await idle).toBe("dropped");
  await end("begun");
  await end("soon");
  expect(await Promise.all([begun, soon])).toEqual(["begun done", "soon done"]);
  expect(began).toEqual(["begun", "soon"]);
});

test("a place is free again after work that fails", async () => {
  const queue = new Queue(1);
  const failing = queue.run("a", async () => {
    throw new Error("no");
  });
  const next = queue.run("b", async () => "b");
  expect(failing).rejects.toThrow("no");
  expect(await next).toBe("b");
});
