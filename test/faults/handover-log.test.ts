/** The hand-over while what it says can't be written. */

import { expect, test } from "bun:test";
import { type Log, kernelLog } from "../../src/boot/log.ts";
import { type FakeKernel, program } from "../../syscalls/fake.ts";
import type { Syscalls } from "../../syscalls/index.ts";
import { refusalOf } from "../../syscalls/methods.ts";
import { earlyMachine, runHandOver } from "../fixtures/early-machine.ts";

// With an init that is no link, so that few calls are the log's.
function buildSmall(): FakeKernel {
  return earlyMachine({ newRoot: { sbin: { init: program() } } });
}

function makeLog(sys: Syscalls): Log {
  return kernelLog(sys, () => true);
}

test("a log that can't be written stops nothing", async () => {
  const good = await runHandOver(buildSmall(), undefined, { makeLog });
  expect(good.kind).toBe("completed");
  const written = good.calls.flatMap(({ name }, index) => (name === "write" ? [index] : []));
  expect(written.length).toBeGreaterThan(1);
  // Around each write: the open before it and the close behind it.
  for (const index of written.flatMap((at) => [at - 1, at, at + 1]))
    for (const code of ["EIO", "EINVAL", "EAGAIN"] as const) {
      const outcome = await runHandOver(
        buildSmall(),
        (call, proceed, number) => {
          if (number !== index + 1) return proceed();
          throw refusalOf(call.name, call.args, code);
        },
        { makeLog },
      );
      expect(outcome.kind, `${good.calls[index]?.name} ${code}: ${String(outcome.error)}`).toBe("completed");
    }
});
