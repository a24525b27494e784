/** A program in either form speaks English to all, whatever language it is asked for, and fails at none. */

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run } from "../../qemu/host.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();

const SPEAK = `
for (const language of ["en", "de", "ja-JP", "ar"])
  console.log(
    new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: "Europe/Berlin" }).format(new Date(0)),
    [...new Intl.Segmenter(language, { granularity: "word" }).segment("ภาษา 日本語")].length > 0,
    (1234.5).toLocaleString(language), "md10".localeCompare("md9", language, { numeric: true }),
    "straße".toLocaleUpperCase(language), "é".normalize("NFD").length);
`;

test("dates, numbers, words, the order of names", async () => {
  const source = join(dir, "speak.ts");
  writeFileSync(source, SPEAK);
  const program = join(dir, "speak");
  await run([
    process.execPath,
    "build",
    source,
    "--compile",
    "--bytecode",
    "--format=esm",
    "--outfile",
    program,
  ]);
  const line = "Thursday, January 1, 1970 true 1,234.5 1 STRASSE 2\n";
  for (const form of [[], ["--packed"]]) {
    const linked = `${program}.linked`;
    const link = [join(PROJECT, "src/stub/link.ts"), program, join(PROJECT, "build/stub"), linked];
    await run([process.execPath, ...link, ...form]);
    expect(await run([linked])).toBe(line.repeat(4));
  }
}, 120_000);
