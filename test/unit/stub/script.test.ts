/** What of a compiled program's script is taken for cold, on a small program that Bun compiles as the Makefile says. */

import { beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { coldStretches } from "../../../src/stub/script.ts";
import { loadSegments, sectionAddress } from "../../../src/stub/segments.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

const dir = temporaryDirectory();
let section: Buffer;

beforeAll(() => {
  const main =
    'import { dlopen } from "bun:ffi";\nimport { join } from "node:path";\n' +
    'const words = () => "the entry to be told";\nconsole.log(words(), join("a", "b"), dlopen);\n' +
    'if (process.pid === 1) void import("./early.ts").then((m) => m.speak());\n' +
    'else void import("./cli.ts").then((m) => m.speak());\n';
  writeFileSync(join(dir, "main.ts"), main);
  writeFileSync(join(dir, "early.ts"), chunk("the early chunk"));
  writeFileSync(join(dir, "cli.ts"), chunk("the tool"));
  const flags = ["--compile", "--splitting", "--bytecode", "--format=esm", "--minify-whitespace"];
  const file = join(dir, "program");
  const built = Bun.spawnSync([process.execPath, "build", join(dir, "main.ts"), ...flags, "--outfile", file]);
  expect(built.exitCode).toBe(0);
  const program = readFileSync(file);
  const address = sectionAddress(program, ".bun") ?? 0n;
  const segment = loadSegments(program, "the program").find(
    (s) => s.address <= address && address < s.address + s.fileSize,
  );
  const from = Number((segment?.offset ?? 0n) + address - (segment?.address ?? 0n));
  section = program.subarray(from, Number((segment?.offset ?? 0n) + (segment?.fileSize ?? 0n)));
}, 60_000);

const isCold = (at: number): boolean =>
  coldStretches(section).some(({ start, end }) => start <= at && at < end);

function chunk(words: string): string {
  return `export function speak() { return "${words} to be told"; }\n`;
}

/** Where something stands in the section. */
function places(what: string | Buffer): number[] {
  const found: number[] = [];
  for (let at = section.indexOf(what); at >= 0; at = section.indexOf(what, at + 1)) found.push(at);
  return found;
}

test("source text is cold; the strings of the bytecode are not", () => {
  for (const words of ["the entry to be told", "the early chunk to be told", "the tool to be told"])
    expect(places(words).map(isCold)).toEqual([false, true]);
});

/** How the bytecode of a program's chunk begins, and that of one of Bun's own modules. */
const CHUNK = Buffer.from([0x26, 0xed, 0xf0, 0xf1, 1, 0, 0, 0]);
const OWN = Buffer.from([0x26, 0xed, 0xf0, 0xf1, 3, 0, 0, 0]);

test("of the chunks' bytecode the tool's is cold", () => {
  expect(places(CHUNK).map(isCold)).toEqual([false, false, true]);
});

test("so are Bun's own modules but bun:ffi", () => {
  const own = places(OWN).map(isCold);
  expect(own.length).toBeGreaterThan(10);
  expect(own).toEqual(own.map((_, i) => i > 0));
});

test("of a section that is not like that nothing is cold", () => {
  expect(coldStretches(section.subarray(0, 100))).toEqual([]);
  expect(coldStretches(new Uint8Array(8))).toEqual([]);
  const damaged = Buffer.from(section);
  const trailer = damaged.lastIndexOf("\n---- Bun! ----\n");
  damaged.writeUInt32LE(0xffffff00, trailer - 24);
  expect(coldStretches(damaged)).toEqual([]);
});
