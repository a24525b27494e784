/** Blocking calls on threads, on the running kernel. */

import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunDriver } from "../../../syscalls/bun.ts";
import { SIG_BLOCK } from "../../../syscalls/constants.ts";
import { errnoNumber } from "../../../syscalls/errno.ts";
import { readText } from "../../../syscalls/files.ts";
import { linux } from "../../../syscalls/linux.ts";
import { syscallNumbers } from "../../../syscalls/numbers.ts";
import { threadCalls } from "../../../syscalls/threads.ts";

const driver = bunDriver();
const sys = linux(driver);
const nr = syscallNumbers();
const open: number[] = [];

function pipe() {
  const ends = sys.pipe(0o2000000);
  open.push(ends.read, ends.write);
  return ends;
}
afterEach(() => {
  for (const fd of open.splice(0)) sys.close(fd);
});

describe("slow calls", () => {
  test("one thousand in a row", async () => {
    const answers = new Set<number>();
    for (let i = 0; i < 1000; i++) answers.add(await driver.callSlow(nr.getpid));
    expect([...answers]).toEqual([process.pid]);
  });

  test("one thousand at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => driver.callSlow(i % 2 === 0 ? nr.getpid : nr.close, -1)),
    );
    expect(answers).toEqual(answers.map((_, i) => (i % 2 === 0 ? process.pid : -9)));
  });

  test("wait side by side, and answer each its own caller", async () => {
    const pipes = Array.from({ length: 50 }, pipe);
    const settled: number[] = [];
    const waiting = pipes.map(async ({ read }, i) => {
      const buffer = new Uint8Array(1);
      await driver.callSlow(nr.read, read, buffer, 1);
      settled.push(i);
      return buffer[0];
    });
    await driver.callSlow(nr.getpid);
    expect(settled).toEqual([]);
    for (const [i, { write }] of [...pipes.entries()].toReversed()) sys.write(write, Uint8Array.of(i));
    expect(await Promise.all(waiting)).toEqual(pipes.map((_, i) => i));
  });

  test("keep their buffers in place and alive through garbage collection", async () => {
    const pipes = Array.from({ length: 50 }, pipe);
    const waiting = pipes.map(async ({ read }) => {
      // Small enough for Bun to move it once somebody asks for its ArrayBuffer, as the line below does.
      const buffer = new Uint8Array(8);
      const pending = driver.callSlow(nr.read, read, buffer, 8);
      await driver.callSlow(nr.getpid);
      expect(buffer.buffer.byteLength).toBe(8);
      return (await pending) === 8 ? Buffer.from(buffer).toString() : "";
    });
    // Callers that look at no buffer: the pending call alone holds it.
    const unheld = pipes.map(({ read }) => driver.callSlow(nr.read, read, new Uint8Array(8), 8));
    for (let i = 0; i < 10; i++) {
      await driver.callSlow(nr.getpid);
      Bun.gc(true);
      expect(Array.from({ length: 1000 }, () => new Uint8Array(8)).length).toBe(1000);
    }
    for (const { write } of pipes) sys.write(write, Buffer.from("12345678".repeat(2)));
    expect(await Promise.all(unheld)).toEqual(pipes.map(() => 8));
    expect(await Promise.all(waiting)).toEqual(pipes.map(() => "12345678"));
  });

  test("share the process's files and report exact errors", async () => {
    const dir = mkdtempSync(join(tmpdir(), "slow-"));
    writeFileSync(join(dir, "file"), "content");
    const fd = openSync(join(dir, "file"), "r");
    const buffer = new Uint8Array(4);
    expect(await sys.slow.pread(fd, buffer, 3)).toBe(4);
    expect(Buffer.from(buffer).toString()).toBe("tent");
    const failures = Array.from({ length: 100 }, () => sys.slow.open(join(dir, "missing"), 0));
    for (const result of await Promise.allSettled(failures))
      expect(result).toMatchObject({ status: "rejected", reason: { code: "ENOENT", syscall: "open" } });
    closeSync(fd);
    rmSync(dir, { recursive: true });
  });

  test("take no signal: their threads have all blocked that can be", async () => {
    const mask = new BigUint64Array(1);
    await driver.callSlow(nr.rt_sigprocmask, SIG_BLOCK, null, new Uint8Array(mask.buffer), 8);
    // Bits 8 and 18 are SIGKILL and SIGSTOP, 31 and 32 the C library's own.
    expect(mask[0]?.toString(16)).toBe("fffffffe7ffbfeff");
  });

  test("say when no socket pair can be had, and are made again then; and when no thread can be", async () => {
    let isFull = true;
    const callSlow = threadCalls({
      call: (number, ...args) =>
        isFull && number === nr.socketpair ? -errnoNumber("EMFILE") : driver.call(number, ...args),
      address: driver.address,
      startThread: () => errnoNumber("EAGAIN"),
    });
    expect(await callSlow(nr.getpid).catch((error: unknown) => error)).toMatchObject({ code: "EMFILE" });
    isFull = false;
    expect(await callSlow(nr.getpid)).toBe(-errnoNumber("EAGAIN"));
  });

  test("leave the caller's signal mask as it was", async () => {
    const before = signalMask();
    await Promise.all(Array.from({ length: 20 }, () => driver.callSlow(nr.getpid)));
    expect(before).toBeString();
    expect(signalMask()).toBe(before);
  });
});

describe("a program", () => {
  test("lives as long as a slow call is pending, and ends by itself then", () => {
    const { exitCode, stdout } = runProgram("end");
    expect(stdout).toBe("4 late\n4 last\n");
    expect(exitCode).toBe(0);
  });

  test("is not kept by one for which no thread could be had", () => {
    expect(runProgram("starve")).toEqual({ stdout: "-11\n", exitCode: 0 });
  });

  test("can end while one is pending", () => {
    const { exitCode, stdout } = runProgram("exit");
    expect(stdout).toBe("4 late\n4 last\n");
    expect(exitCode).toBe(3);
  });
});

function signalMask(): string | undefined {
  return /SigBlk:\s*(\w+)/.exec(readText(sys, "/proc/thread-self/status"))?.[1];
}

function runProgram(word: string) {
  const program = join(import.meta.dir, "slow-program.ts");
  const { exitCode, stdout } = Bun.spawnSync([process.execPath, program, word], { timeout: 5000 });
  return { exitCode, stdout: stdout.toString() };
}
