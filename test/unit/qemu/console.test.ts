import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { Console } from "../../../qemu/console.ts";

const NAME = "unit-console";
const feed = (console: Console, text: string) => console.feed(Buffer.from(text, "latin1"));
const logs = new Set<string>();
afterAll(() => {
  for (const log of logs) rmSync(log, { force: true });
});

function open(): { console: Console; sent: string[] } {
  const sent: string[] = [];
  const console = new Console(NAME, (bytes) => sent.push(Buffer.from(bytes).toString("latin1")));
  logs.add(console.logFile);
  return { console, sent };
}

/** The message of what a promise was rejected with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "(it was kept)",
    (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  );
}

describe("Console", () => {
  test("finds text that came before it was expected, and text that comes in pieces", async () => {
    const { console } = open();
    feed(console, "login: ");
    await console.expect("login: ", 1000);
    const found = console.expect(/pass(\w+): $/, 1000);
    feed(console, "\r\npass");
    feed(console, "word: ");
    expect((await found)[1]).toBe("word");
    console.end("the test is over");
  });

  test("uses up what it has found", async () => {
    const { console } = open();
    feed(console, "one two one\n");
    await console.expect("one", 1000);
    const second = await console.expect("one", 1000);
    expect(second.index).toBe(5);
    console.end("the machine is gone");
    expect(await refusal(console.expect("one", 1000))).toContain('"one" did not come: the machine is gone');
  });

  test("serves those who wait in their order", async () => {
    const { console } = open();
    const order: string[] = [];
    const first = console.expect("b", 1000).then(() => order.push("b"));
    const second = console.expect("a", 1000).then(() => order.push("a"));
    feed(console, "a b a");
    await Promise.all([first, second]);
    expect(order).toEqual(["b", "a"]);
    console.end("the test is over");
  });

  test("takes a string for what it is and not for a pattern", async () => {
    const { console } = open();
    feed(console, "a+b (c)");
    expect((await console.expect("a+b (c)", 1000))[0]).toBe("a+b (c)");
    console.end("the test is over");
  });

  test("leaves terminal sequences out, cut in two as well", () => {
    const { console } = open();
    feed(console, "\x1b[2J\x1b[1;31mred\x1b[0m \x1b[");
    feed(console, "3");
    feed(console, "2mgreen\x1b[m\x1bc\r\n");
    expect(console.text).toBe("red green\n");
    console.end("the test is over");
  });

  test("keeps bytes as they are", () => {
    const { console } = open();
    feed(console, "\xff\x80\0\n");
    expect(console.lines.map((line) => line.text)).toEqual(["\xff\x80\0"]);
    console.end("the test is over");
  });

  test("gives up at the deadline and quotes no more than the last 40 lines", async () => {
    const { console } = open();
    feed(console, Array.from({ length: 60 }, (_, at) => `line ${at}\n`).join(""));
    feed(console, "half a line");
    const message = await refusal(console.expect("never", 5));
    expect(message).toContain(`${NAME}: "never" did not come within 5 ms`);
    expect(message).not.toContain("line 19\n");
    expect(message).toContain("line 20\n");
    expect(message).toContain("  | half a line\n");
    expect(message).toContain(`build/logs/${NAME}.log`);
    feed(console, " never");
    expect((await console.expect("never", 1000))[0]).toBe("never");
    console.end("the test is over");
  });

  test("logs each line with its time, the last one without an end too", () => {
    const { console } = open();
    feed(console, "first\nlast");
    console.end("the machine is gone");
    expect(readFileSync(console.logFile, "latin1")).toMatch(
      /^ +\d+\.\d{3} {2}first\n +\d+\.\d{3} {2}last\n$/,
    );
  });

  test("types Enter as a terminal does", () => {
    const { console, sent } = open();
    console.send("root\nno echo");
    expect(sent).toEqual(["root\rno echo"]);
    console.end("the test is over");
  });
});
