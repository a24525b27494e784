import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseCall } from "../../../src/cli/args.ts";
import { planCommand } from "../../../src/cli/plan.ts";
import { planBoot } from "../../../src/plan/plan.ts";

async function plan(...args: string[]): Promise<{ status: number; out: string }> {
  let out = "";
  const terminal = {
    out: (more: string | Uint8Array) => void (out += String(more)),
    say: () => {},
    progress: () => {},
  };
  const status = await planCommand.run(parseCall(planCommand, args, terminal));
  return { status, out };
}

test("numbered sentences, and status 0", async () => {
  const { status, out } = await plan("--cmdline", "root=LABEL=\xc3\xa4 rd.odd -- single");
  expect(status).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(lines.map((line) => /^( \d|\d\d)\. [A-Z]/.test(line))).not.toContain(false);
  expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(lines.map((_, i) => i + 1));
  expect(out).toContain(". Wait for at most 30 s until LABEL=ä is there.\n");
  expect(out).toContain("with the arguments 'single'.\n");
});

test("a boot that can't be is status 1, and what it stops at comes last", async () => {
  const { status, out } = await plan("--cmdline=quiet");
  expect(status).toBe(1);
  expect(out).toEndWith(
    ". Stop there: The kernel command line names no root filesystem. Add root=UUID=… or another form of root= to it.\n",
  );
});

test("without --cmdline, this machine's own", async () => {
  const { steps, obstacle } = planBoot(readFileSync("/proc/cmdline", "latin1").trimEnd());
  const { status, out } = await plan();
  expect(status).toBe(obstacle === undefined ? 0 : 1);
  for (const step of steps) expect(out).toContain(`. ${step}\n`);
});
