import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCall } from "../../../src/cli/args.ts";
import { chartCommand } from "../../../src/cli/chart.ts";
import { recordingTerminal } from "../../fixtures/terminal.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

const dir = temporaryDirectory();

const RECORD = JSON.stringify({
  format: "rdinit-timing",
  version: 1,
  kernel: "6.1.0",
  command_line: "quiet",
  outcome: "handing over to /sbin/init",
  init_us: 1_000_000,
  end_us: 2_000_000,
  left_out: 0,
  entries: [{ lane: "module", name: "ext4", from_us: 1_100_000, to_us: 1_500_000 }],
});

function written(content: string): string {
  const file = join(dir, "timing.json");
  writeFileSync(file, content);
  return file;
}

async function chart(args: readonly string[], direct = false): Promise<string> {
  const terminal = recordingTerminal();
  expect(await chartCommand.run(parseCall(chartCommand, args, { ...terminal, direct }))).toBe(0);
  return terminal.printed.join("");
}

describe("chart", () => {
  test("draws to standard output or to a file", async () => {
    const file = written(RECORD);
    const svg = await chart([file]);
    expect(svg).toStartWith("<svg ");
    expect(svg).toContain(">ext4 400 ms</text>");
    const picture = join(dir, "boot.svg");
    expect(await chart([file, "-o", picture], true)).toBe("");
    expect(readFileSync(picture, "utf8")).toBe(svg);
  });

  test("begins where it is told to", async () => {
    const file = written(RECORD);
    expect(await chart([file])).toContain("the kernel until /init 1.00 s</text></g>");
    const whole = await chart([file, "--from", "init"]);
    expect(whole).not.toContain("the kernel until /init 1.00 s</text></g>");
    expect(await chart([file, "--from", "1.0"])).toBe(whole);
  });

  for (const [what, args, content, why] of [
    ["no file", [join(dir, "none.json")], "", "There is no "],
    ["no record", [join(dir, "timing.json")], "{}", "is no record of a boot"],
    [
      "a time that is none",
      [join(dir, "timing.json"), "--from=soon"],
      RECORD,
      "--from soon is no number of seconds.",
    ],
    [
      "a time behind the end",
      [join(dir, "timing.json"), "--from=2"],
      RECORD,
      "is behind the end of this boot, 2.00 s.",
    ],
  ] as const)
    test(`${what} is a sentence`, async () => {
      written(content);
      await expect(chart(args)).rejects.toThrow(why);
    });

  test("a terminal gets no picture", async () => {
    await expect(chart([written(RECORD)], true)).rejects.toThrow("A picture is nothing for a terminal.");
  });
});
