import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ChildRequest,
  describeEnd,
  runChild,
  succeeded,
} from "../../../../src/boot/children/children.ts";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { kept_bytes } from "../../../../src/boot/children/output.ts";
import { Reaper } from "../../../../src/boot/children/reaper.ts";
import { noTiming } from "../../../../src/boot/timing/timing.ts";
import { RLIMIT_NOFILE } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { linuxSyscalls } from "../../../../syscalls/native.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { temporaryDirectory } from "../../../fixtures/temporary.ts";

// Children that are not watched here are the test runner's, and none of them may be reaped.
const sys = intercept(linuxSyscalls(), (call, proceed) =>
  call.name === "slow.peekChild"
    ? Promise.reject(refusalOf("slow.peekChild", call.args, "ECHILD"))
    : proceed(),
);
const dir = temporaryDirectory();

/** What the runtime took for itself, and what the kernel gave, which is less. */
const own = sys.getrlimit(RLIMIT_NOFILE);
const openFiles = { soft: 256n, hard: own.hard };

function bootWith(line = ""): { boot: Boot; lines: string[] } {
  const { log, lines } = collectLog();
  const words = parseCommandLine(line);
  const legacy = { args: [], env: [], openFiles };
  const { options } = readOptions(words);
  return { boot: { sys, log, words, options, legacy, reaper: new Reaper(sys), timing: noTiming }, lines };
}

async function run(argv: readonly string[], more: Partial<ChildRequest> = {}, line = "") {
  const { boot, lines } = bootWith(line);
  const request = { argv, name: "tool", title: "the tool", show: "live", deadline_ms: 5000 } as const;
  const result = await runChild(boot, { ...request, ...more });
  return { ...result, lines: lines.filter((said) => !said.startsWith("debug:")), all: lines };
}

const shell = (commands: string, more: Partial<ChildRequest> = {}, line = "") =>
  run(["/bin/sh", "-c", commands], more, line);

function script(name: string, text: string, mode = 0o755): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("what a child finds", () => {
  process.env["RDINIT_TEST_LEAK"] = "from the command line";
  afterAll(() => void delete process.env["RDINIT_TEST_LEAK"]);

  test("only its own environment, in UTF-8 as it was given", async () => {
    const { output } = await run(["env"], { env: { NEWROOT: "/sysroot", NAME: "\xc3\xa4" } });
    expect(output.split("\n").toSorted()).toEqual([
      "",
      "HOME=/",
      "NAME=\xc3\xa4",
      "NEWROOT=/sysroot",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "TERM=linux",
    ]);
  });

  test("a session and a group of its own without a terminal, / as its directory", async () => {
    const { output } = await shell(
      'read -r pid _ _ _ group session tty _ </proc/$$/stat; echo "$pid $group $session $tty"; pwd',
    );
    const [ids = "", directory] = output.split("\n");
    const [pid, group, session, tty] = ids.split(" ");
    expect([group, session, tty]).toEqual([pid, pid, "0"]);
    expect(directory).toBe("/");
  });

  test("no descriptor but 0, 1 and 2, and nothing to read", async () => {
    const { output } = await shell(
      "ls /proc/$$/fd; readlink /proc/$$/fd/0; cat; cat </dev/stdin; echo >/dev/stderr",
    );
    expect(output).toBe("0\n1\n2\n/dev/null\n\n");
  });

  test("signals at their default, none blocked, and the kernel's limit on open files", async () => {
    const { output } = await shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; ulimit -Sn; ulimit -Hn");
    const [blocked, ignored, ...limits] = output.trimEnd().split("\n");
    expect(blocked).toBe(`SigBlk:\t${"0".repeat(16)}`);
    // glibc has two signals to itself (32 and 33), and leaves them ignored in a child when it used them before.
    expect(BigInt(`0x${ignored?.split("\t")[1]}`) & ~0x1_8000_0000n).toBe(0n);
    expect(limits).toEqual([String(openFiles.soft), String(openFiles.hard)]);
    expect(sys.getrlimit(RLIMIT_NOFILE)).toEqual(own);
    expect(own.soft).toBeGreaterThan(openFiles.soft);
  });

  test("nothing of it stays open when it has ended", async () => {
    await shell("echo the first one may open what the runtime keeps");
    const before = readdirSync("/proc/self/fd").length;
    for (let count = 0; count < 10; count++) await shell("echo words; exit 1");
    // The runtime opens and closes some of its own meanwhile.
    expect(readdirSync("/proc/self/fd").length).toBeLessThan(before + 5);
  });

  test("what it is told on standard input, byte for byte", async () => {
    const { output } = await run(["od", "-An", "-tx1"], { stdin: Uint8Array.of(0, 255, 10, 65) });
    expect(output.trim()).toBe("00 ff 0a 41");
  });
});

describe("how it ended", () => {
  test("by itself", async () => {
    for (const status of [0, 1, 127, 255]) {
      const { end } = await shell(`exit ${status}`);
      expect(end).toEqual({ kind: "exited", status });
      expect(succeeded(end)).toBe(status === 0);
      expect(describeEnd(end)).toBe(`ended with status ${status}`);
    }
  });

  test("by a signal", async () => {
    const { end } = await shell("kill -SEGV $$");
    expect(end).toEqual({ kind: "killed", signal: "SIGSEGV" });
    expect(describeEnd(end)).toBe("was killed by SIGSEGV");
  });

  const missing = join(dir, "missing");
  for (const [what, argv, why] of [
    ["no such tool", ["no-such-tool-anywhere"], "is not in the image"],
    ["no such file", [missing], "does not exist, or its interpreter does not"],
    ["no interpreter", [script("orphan", "#!/no/where\n")], "does not exist, or its interpreter does not"],
    ["not executable", [script("plain", "#!/bin/sh\n", 0o644)], "may not be executed"],
    [
      "no program",
      [script("words", "just words\n")],
      "is neither an ELF program nor a script that begins with #!",
    ],
    ["an argument that is no text", ["env", "a=\xff"], "can't be given 'a=�', which is not UTF-8"],
    ["an argument with a zero", ["env", "a\0b"], "can't be given 'a\\x00b', which is not UTF-8"],
    ["nothing at all", [], "is not in the image"],
  ] as const)
    test(`${what}: no exception, and no descriptor is left open`, async () => {
      const before = openDescriptors();
      const { end, output, lines } = await run(argv);
      expect(end).toEqual({ kind: "failed", why });
      expect(describeEnd(end)).toBe(why);
      expect([output, ...lines]).toEqual([""]);
      // One of an earlier test may be closed by now.
      expect(openDescriptors().filter((one) => !before.includes(one))).toEqual([]);
    });

  test("a tool is found in PATH's order, and the call is in the debug log", async () => {
    const { end, all } = await run(["true", "with space"]);
    expect(succeeded(end)).toBe(true);
    expect(all).toEqual(["debug: running true with space", "debug: the tool ended with status 0"]);
  });

  test("a debugging log does not hold its secrets", async () => {
    const { all } = await run(["true", "-w", "secret"], { secrets: ["secret"] });
    expect(all[0]).toBe("debug: running true -w ***");
  });
});

// Each with what it leads to; the one that lists them is gone before it can be asked.
function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

describe("what it prints", () => {
  test("both streams in one, in their order, shown with its name as it comes", async () => {
    const { output, lines } = await shell("echo one; echo two >&2; echo three; printf four");
    expect(output).toBe("one\ntwo\nthree\nfour");
    expect(lines).toEqual(["info: tool: one", "info: tool: two", "info: tool: three", "info: tool: four"]);
  });

  test("nothing in it can break the console", async () => {
    const { lines } = await shell(String.raw`printf 'a\033[2Jb\n\303\244\n\377\n 10%%\r 20%%\r\nx\000y\n'`);
    expect(lines).toEqual([
      String.raw`info: tool: a\x1b[2Jb`,
      "info: tool: ä",
      "info: tool: �",
      "info: tool:  10%",
      "info: tool:  20%",
      String.raw`info: tool: x\x00y`,
    ]);
  });

  test("only when it fails, or never", async () => {
    const fails = "echo why; exit 3";
    expect((await shell(fails, { show: "on failure" })).lines).toEqual(["warning: tool: why"]);
    expect((await shell("echo why", { show: "on failure" })).lines).toEqual([]);
    expect((await shell(fails, { show: "never" })).lines).toEqual([]);
    // What was shown as it came is not shown again; with quiet it is in the kernel's log alone until then.
    expect((await shell(fails)).lines).toEqual(["info: tool: why"]);
    expect((await shell(fails, {}, "quiet")).lines).toEqual(["info: tool: why", "warning: tool: why"]);
  });

  test("of much the end is kept, and a failure shows its last lines", async () => {
    const { output, lines } = await shell("seq 1 20000; exit 1", { show: "on failure" });
    expect(output).toHaveLength(kept_bytes);
    expect(output).toEndWith("\n19999\n20000\n");
    expect(lines).toHaveLength(40);
    expect(lines.at(-1)).toBe("warning: tool: 20000");
  });

  test("a flood neither fills the console nor stops the child", async () => {
    const { end, output, lines: all } = await shell("seq 1 300000; exit 1");
    // On a busy machine it takes long enough to be spoken of.
    const lines = all.filter((line) => !line.startsWith("notice: waiting for"));
    expect(end).toEqual({ kind: "exited", status: 1 });
    expect(output).toEndWith("\n300000\n");
    expect(lines).toHaveLength(1000 + 1 + 40);
    expect(lines[1000]).toBe("info: tool: prints more than 1000 lines; the rest is not shown.");
    const endless = await shell("head -c 3000000 /dev/zero");
    expect(endless.end).toEqual({ kind: "exited", status: 0 });
    expect(endless.output).toBe("\0".repeat(kept_bytes));
    for (const line of endless.lines) expect(line.length).toBeLessThan(5 * 4096);
  });
});

describe("a child that takes too long", () => {
  test("is spoken of, told to end with its whole group, and killed when it does not", async () => {
    const mark = join(dir, "pids");
    const began = performance.now();
    const { end, lines } = await shell(
      `trap '' TERM; sh -c 'echo $$ >>${mark}; exec sleep 1000' & echo $$ >>${mark}; while :; do wait; done`,
      { deadline_ms: 1500 },
    );
    expect(end).toEqual({ kind: "timed out" });
    expect(describeEnd(end)).toBe("took too long");
    expect(lines).toEqual([
      "notice: waiting for the tool (giving up in 1 s)",
      "warning: the tool is not done after 1.5 s and is told to end.",
      "warning: the tool does not end and is killed.",
    ]);
    const pids = readFileSync(mark, "latin1").trim().split("\n").map(Number);
    expect(pids).toHaveLength(2);
    for (const pid of pids) await gone(pid);
    expect(performance.now() - began).toBeLessThan(8000);
  });

  test("is ended in time although it prints without a pause", async () => {
    const began = performance.now();
    const { end, lines } = await run(["yes"], { deadline_ms: 300 });
    expect(end).toEqual({ kind: "timed out" });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(lines).toContain("warning: the tool is not done after 0.3 s and is told to end.");
  });

  test("ends at SIGTERM, also when it is stopped, and takes those along that do not heed it", async () => {
    const mark = join(dir, "deaf");
    const { end, lines, output } = await shell(
      `trap 'echo going; exit 7' TERM
       sh -c 'trap "" TERM; echo $$ >${mark}; exec sleep 1000' &
       until [ -s ${mark} ]; do :; done; kill -STOP $$; wait`,
      { deadline_ms: 500 },
    );
    expect(end).toEqual({ kind: "timed out" });
    expect(output).toBe("going\n");
    expect(lines).toEqual([
      "warning: the tool is not done after 0.5 s and is told to end.",
      "info: tool: going",
    ]);
    await gone(Number(readFileSync(mark, "latin1")));
  });
});

describe("a child that leaves a daemon behind", () => {
  test("does not keep us waiting, and the daemon can go on to print", async () => {
    const go = join(dir, "go");
    const done = join(dir, "done");
    const { boot, lines } = bootWith();
    const began = performance.now();
    const { end, output } = await runChild(boot, {
      argv: [
        "/bin/sh",
        "-c",
        `mkfifo ${go}; (trap 'echo refused >${done}' PIPE; read _ <${go}; echo late; echo ok >${done}) & echo early`,
      ],
      name: "tool",
      title: "the tool",
      show: "live",
      deadline_ms: 5000,
    });
    expect(end).toEqual({ kind: "exited", status: 0 });
    expect(output).toBe("early\n");
    expect(performance.now() - began).toBeLessThan(3000);
    writeFileSync(go, "\n");
    while (!existsSync(done)) await Bun.sleep(5);
    while (!lines.includes("info: tool: late")) await Bun.sleep(5);
    expect(readFileSync(done, "latin1")).toBe("ok\n");
  });
});

/** Resolves when no process of this number is alive. */
async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "latin1")))
    await Bun.sleep(5);
}

describe("as process 1", () => {
  test("orphans are reaped, and no status of a child is lost", async () => {
    const program = join(import.meta.dir, "children-program.ts");
    const child = Bun.spawn([...namespace, process.execPath, program], { stdout: "pipe", stderr: "pipe" });
    const [out, err, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect([err, status]).toEqual(["", 0]);
    expect(JSON.parse(out)).toEqual({
      pid: 1,
      statuses: Array.from({ length: 40 }, (_, i) => i),
      zombies: [],
    });
  });
});

/** A process namespace, in which the program is process 1. */
const namespace =
  process.getuid?.() === 0
    ? ["unshare", "--pid", "--fork", "--mount-proc"]
    : ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
