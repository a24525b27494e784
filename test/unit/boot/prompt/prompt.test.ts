/** Questions on real terminals and by a real socket, on the machine that the tests run on. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Boot } from "../../../../src/boot/context.ts";
import { plainLog } from "../../../../src/boot/log.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { Desk } from "../../../../src/boot/prompt/desk.ts";
import { type Answer, Prompt } from "../../../../src/boot/prompt/prompt.ts";
import { longestAnswer_bytes } from "../../../../src/boot/prompt/line.ts";
import { largestAnswer_bytes, tooLarge } from "../../../../src/boot/prompt/protocol.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { noTiming } from "../../../../src/boot/timing/timing.ts";
import { fromBytes } from "../../../../src/lib/bytes.ts";
import { linuxSyscalls } from "../../../../syscalls/native.ts";
import { legacy } from "../../../fixtures/early-machine.ts";
import { Pseudoterminal } from "../../../fixtures/pseudoterminal.ts";
import { temporaryDirectory } from "../../../fixtures/temporary.ts";

const dir = temporaryDirectory();
const socket = join(dir, "run/ask");
const sys = linuxSyscalls();
const boot: Boot = {
  sys,
  log: plainLog(() => {}),
  options: readOptions([]).options,
  words: [],
  legacy,
  reaper: new Reaper(sys),
  timing: noTiming,
};
const words = "Passphrase for vda2: ";
const { signal } = new AbortController();

let first: Pseudoterminal;
let second: Pseudoterminal;
let prompt: Prompt;
let desk: Desk;
let modes: Uint8Array;

beforeEach(() => {
  first = new Pseudoterminal(sys);
  second = new Pseudoterminal(sys);
  modes = first.termios;
  desk = new Desk(sys, boot.log, socket);
  prompt = new Prompt(boot, {
    terminals: [first.path, "/dev/missing", second.path],
    desk,
    log: "/dev/missing",
  });
});

afterEach(async () => {
  await prompt.close();
  await desk.end("", 0);
  first[Symbol.dispose]();
  second[Symbol.dispose]();
});

function answerOf(outcome: Answer | string): string {
  return typeof outcome === "string" ? `none: ${outcome}` : fromBytes(outcome.bytes);
}

test("is asked on all terminals, the first answer wins, and nothing is shown of it", async () => {
  const asked = prompt.ask({ words, signal });
  await first.shows(words);
  await second.shows(words);
  second.type("half of anoth");
  first.type("correct horse\r");
  const outcome = await asked;
  expect(answerOf(outcome)).toBe("correct horse");
  expect(outcome).toMatchObject({ from: first.path.replace("/dev/", "") });
  expect(await first.shows("\n")).toBe(`${words}\r\n`);
  expect(await second.shows(")\r\n")).toBe(`${words}(answered on ${first.path.replace("/dev/", "")})\r\n`);
  // What was typed elsewhere is no part of the next answer, and neither is what is typed between two questions.
  const next = prompt.ask({ words: "Again: ", signal });
  await second.shows("Again: ");
  second.type("other\r");
  expect(answerOf(await next)).toBe("other");
});

test("puts the modes back, also when nobody answers", async () => {
  await prompt.close();
  expect(first.termios).toEqual(modes);
  const open = new Prompt(boot, { terminals: [first.path], desk, log: "/dev/missing" });
  expect(first.echoes).toBe(false);
  const withdrawn = new AbortController();
  const asked = open.ask({ words, signal: withdrawn.signal });
  withdrawn.abort();
  expect(await asked).toBe("cancelled");
  expect(await open.ask({ words, signal, timeout_ms: 1 })).toBe("timed out");
  const last = open.ask({ words, signal });
  await open.close();
  expect(await last).toBe("cancelled");
  expect(first.termios).toEqual(modes);
  expect(await open.ask({ words, signal })).toBe("cancelled");
});

test("edits the line", async () => {
  const asked = prompt.ask({ words, signal });
  await first.shows(words);
  first.type("nonsense\x15w\xc3\xa4\x7frong\x03");
  await first.shows(`${words}\r\n${words}`);
  first.type("\r");
  await first.shows(`${words}\r\n${words}\r\n${words}`);
  first.type(`${"x".repeat(longestAnswer_bytes + 1)}\r`);
  await first.shows(`An answer has at most ${longestAnswer_bytes} bytes.\r\n${words}`);
  first.type("\xe4\xc3\xa4b\x08\x04");
  expect(answerOf(await asked)).toBe("\xe4\xc3\xa4");
});

test("takes no answer for an answer", async () => {
  const asked = prompt.ask({ words, signal });
  await first.shows(words);
  first.type("\x04");
  expect(await asked).toBe("declined");
});

test("goes on with the terminals that are left", async () => {
  const asked = prompt.ask({ words, signal });
  await first.shows(words);
  first[Symbol.dispose]();
  await second.shows(words);
  second.type("here\r");
  expect(answerOf(await asked)).toBe("here");
  first = new Pseudoterminal(sys);
});

test("is answered by the socket, which is root's alone and gone in the end", async () => {
  const asked = prompt.ask({ words, signal });
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, "run")).mode & 0o777).toBe(0o700);
  const [client, other] = [await connect(), await connect()];
  for (const one of [client, other]) expect(await one.line()).toBe("ask Passphrase for vda2:");
  client.send("from SSH from 192.0.2.7\nanswer 9\nwrong\n\0on");
  client.send("e");
  const outcome = await asked;
  expect(answerOf(outcome)).toBe("wrong\n\0on");
  expect(outcome).toMatchObject({ from: "SSH from 192.0.2.7" });
  expect(await first.shows(")\r\n")).toBe(`${words}(answered by SSH from 192.0.2.7)\r\n`);
  expect([await client.line(), await other.line()]).toEqual(["trying", "taken by SSH from 192.0.2.7"]);
  prompt.tell("wrong", "it opens nothing.");
  const again = prompt.ask({ words, signal });
  for (const one of [client, other])
    expect([await one.line(), await one.line()]).toEqual([
      "wrong it opens nothing.",
      "ask Passphrase for vda2:",
    ]);
  first.type("right one\r");
  expect(answerOf(await again)).toBe("right one");
  prompt.tell("ok", "vda2");
  for (const one of [client, other])
    expect([await one.line(), await one.line()]).toEqual([`taken on ${first.path.slice(5)}`, "ok vda2"]);
  await prompt.close();
  // Who comes between two questions is told what the boot does.
  const late = await connect();
  desk.goOn(() => ["array md0 has 1 of 2 members"]);
  expect(await late.line()).toBe("wait the boot goes on");
  expect(await (await connect()).line()).toBe("wait array md0 has 1 of 2 members");
  desk.rest("The boot is tried again.");
  expect(await late.line()).toBe("wait The boot is tried again.");
  expect(await (await connect()).line()).toBe("wait The boot is tried again.");
  desk.goOn(() => []);
  expect(await (await connect()).line()).toBe("wait the boot goes on");
  desk.fail("The root is not there.");
  expect(await late.line()).toBe("failed The root is not there.");
  await desk.end("the system starts.", 5000);
  expect(await late.line()).toBe("end the system starts.");
  expect(existsSync(join(dir, "run"))).toBe(false);
});

test("by the socket: what is no answer, a shell, and a question that is withdrawn", async () => {
  const withdrawn = new AbortController();
  const asked = prompt.ask({ words, signal: withdrawn.signal });
  const client = await connect();
  client.send("answer 0\nshell\n");
  expect([await client.line(), await client.line(), await client.line()]).toEqual([
    "ask Passphrase for vda2:",
    "ask Passphrase for vda2:",
    "refused No shell is given here.",
  ]);
  desk.shellObstacle = () => undefined;
  client.send("shell\ncorrect horse\n");
  expect(await client.line()).toBe("shell");
  expect(await client.line()).toStartWith("refused this is no request");
  const other = await connect();
  other.send(`answer ${largestAnswer_bytes + 1}\n`);
  expect([await other.line(), await other.line()]).toEqual([
    "ask Passphrase for vda2:",
    `refused ${tooLarge()}`,
  ]);
  const last = await connect();
  withdrawn.abort();
  expect(await asked).toBe("cancelled");
  expect([await last.line(), await last.line()]).toEqual(["ask Passphrase for vda2:", "closed"]);
  // An answer to no question is nobody's.
  last.send("answer 1\nxshell\n");
  expect(await last.line()).toBe("shell");
  const next = prompt.ask({ words: "Next: ", signal });
  expect(await last.line()).toBe("ask Next:");
  last.send("answer 1\ny");
  expect(answerOf(await next)).toBe("y");
});

test("leaves no descriptor open", async () => {
  await prompt.close();
  const before = openDescriptors();
  const another = new Prompt(boot, { terminals: [first.path], desk, log: "/dev/missing" });
  void another.ask({ words, signal });
  await first.shows(words);
  await another.close();
  await desk.end("", 0);
  // One of an earlier test may have been closed meanwhile.
  expect(openDescriptors()).toBeLessThanOrEqual(before);
});

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

async function connect() {
  const lines: string[] = [];
  let rest = "";
  let wake: (() => void) | undefined;
  const connection = await Bun.connect({
    unix: socket,
    allowHalfOpen: true,
    socket: {
      data(_, chunk) {
        const pieces = (rest + chunk.toString("latin1")).split("\n");
        rest = pieces.pop() ?? "";
        lines.push(...pieces);
        wake?.();
      },
    },
  });
  return {
    send: (bytes: string) => void connection.write(bytes),
    async line(): Promise<string> {
      while (lines.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return lines.shift() ?? "";
    },
  };
}
