/** What process 1 loads: a module of Node's that it does not need costs it time and memory before its first line. */

import { expect, test } from "bun:test";
import { join } from "node:path";

test("process 1 imports nothing of Node's, and the command-line tool is a chunk of its own", async () => {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "../../src/main.ts")],
    target: "bun",
    format: "esm",
    splitting: true,
  });
  const chunks = new Map(
    await Promise.all(
      outputs.map(async (output) => [output.path.replace(/^\.\//, ""), await output.text()] as const),
    ),
  );
  const imported = new Set<string>();
  const todo = ["main.js"];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const code = chunks.get(name);
    if (code === undefined) {
      imported.add(name);
      continue;
    }
    for (const [, from = ""] of code.matchAll(/^(?:import|\} from)[^"\n]*"([^"]+)";?$/gm))
      todo.push(from.replace(/^\.\//, ""));
  }
  expect([...imported]).toEqual(["bun:ffi"]);
  expect(chunks.size).toBeGreaterThan(1);
});
