import { expect, test } from "bun:test";
import { startDaemon } from "../../../../src/boot/children/daemon.ts";
import { RLIMIT_NOFILE, SIGTERM } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { linuxSyscalls } from "../../../../syscalls/native.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

// As in children.test.ts: the test runner's own children are not to be reaped.
const sys = intercept(linuxSyscalls(), (call, proceed) =>
  call.name === "slow.peekChild"
    ? Promise.reject(refusalOf("slow.peekChild", call.args, "ECHILD"))
    : proceed(),
);

function start(commands: string) {
  const { boot: plain, lines } = bootOn(sys, "");
  const boot = { ...plain, legacy: { ...plain.legacy, openFiles: sys.getrlimit(RLIMIT_NOFILE) } };
  const heard = Promise.withResolvers<void>();
  const daemon = startDaemon(boot, {
    argv: ["/bin/sh", "-c", commands],
    name: "server",
    title: "the server",
    show: "on failure",
    hear: () => heard.resolve(),
  });
  if (typeof daemon === "string") throw new Error(daemon);
  return {
    daemon,
    lines,
    heard: heard.promise,
    shown: () => lines.filter((line) => !line.startsWith("debug")),
  };
}

test("a server that is told to end says nothing more", async () => {
  const { daemon, heard, shown } = start("sleep 1000 & echo it serves; wait");
  await heard;
  await daemon.end();
  expect(await daemon.ended).toEqual({ kind: "killed", signal: "SIGTERM" });
  expect(shown()).toEqual([]);
  expect(daemon.output()).toBe("it serves\n");
});

test("what a server that ends by itself printed last is shown", async () => {
  // It comes behind the news of the end, as it may of any process.
  const { daemon, shown } = start("(sleep 0.05; echo no such port) & exit 3");
  expect(await daemon.ended).toEqual({ kind: "exited", status: 3 });
  expect(shown()).toEqual(["warning: server: no such port"]);
});

test("a signal reaches its group, and nobody when that is gone", async () => {
  const { daemon, heard } = start("trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done");
  await heard;
  daemon.signal(SIGTERM);
  expect(await daemon.ended).toEqual({ kind: "exited", status: 7 });
  daemon.signal(SIGTERM);
});
