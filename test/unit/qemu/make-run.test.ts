import { expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT, run } from "../../../qemu/host.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

/** In place of Bun: prints its arguments, one a line. */
const printer = join(temporaryTree({ print: "#!/bin/sh\nprintf '%s\\n' \"$@\"\n" }), "print");

/** What `make run` with these words has run, with nothing built before it. */
async function started(...words: readonly string[]): Promise<string[]> {
  const done = ["setup-run", "build/rdinit", "build/init"].flatMap((target) => ["-o", target]);
  const make = ["make", "-s", "--no-print-directory", ...done, "run", `BUN=${printer}`, ...words];
  return (await run(make, { cwd: PROJECT })).split("\n");
}

test("make run hands on what it is given as it was typed, quotes and all", async () => {
  const append = 'dyndbg="file x +p" quiet `date` a;b';
  const [program, ...words] = await started(
    `APPEND=${append}`,
    "DISK=my disk.img",
    "MEMORY=256",
    "NET=unlock",
  );
  expect(program).toBe("qemu/run.ts");
  expect(words).toEqual([
    "--append",
    append,
    "--disk",
    "my disk.img",
    "--memory",
    "256",
    "--net",
    "unlock",
    "",
  ]);
});
