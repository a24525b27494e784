import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run } from "../../../qemu/host.ts";
import * as ours from "../../../syscalls/constants.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

describe("constants", () => {
  test("are those of the headers that they are said to be from", async () => {
    const theirs = await askHeaders();
    const compared = Object.entries(ours).filter(([name]) => !YOUNG.has(name) || name in theirs);
    expect(theirs).toEqual(
      Object.fromEntries(compared.map(([name, value]) => [name, BigInt.asUintN(64, BigInt(value))])),
    );
  });

  test("stand in order below each header", () => {
    expect(sections().length).toBeGreaterThan(15);
    for (const section of sections()) {
      expect(section).toStartWith("// ");
      expect(namesIn(section)).toEqual(namesIn(section).toSorted());
    }
  });
});

/** Each comment that names headers, with the constants below it. */
function sections(): string[] {
  const source = readFileSync(join(PROJECT, "syscalls/constants.ts"), "utf8");
  return source.trimEnd().split("\n\n").slice(1);
}

function namesIn(section: string): string[] {
  return [...section.matchAll(/^export const (\w+)/gm)].map(([, name]) => name ?? "");
}

/** What the C library gives programs in place of a header of the kernel's that is for the kernel alone. */
const FOR_PROGRAMS: Readonly<Record<string, string>> = {
  "linux/fs.h": "sys/mount.h",
  "linux/socket.h": "sys/socket.h",
};

/** Younger than the oldest headers that a machine of today may have: Linux 5.17. */
const YOUNG: ReadonlySet<string> = new Set(["MODULE_INIT_COMPRESSED_FILE"]);

/** All constants as the compiler has them, as 64 bits. Throws UserError when one is in none of its headers. */
async function askHeaders(): Promise<Record<string, bigint>> {
  const texts = sections().map((section, at) => [`section${at}.c`, program(section, at)] as const);
  const calls = texts.map((_, at) => `  extern void section${at}(void); section${at}();`);
  const main = `int main(void) {\n${calls.join("\n")}\n}\n`;
  const dir = temporaryTree({ ...Object.fromEntries(texts), "main.c": main });
  await run(["cc", "-o", "constants", "main.c", ...texts.map(([name]) => name)], { cwd: dir });
  const told = (await run([join(dir, "constants")])).matchAll(/^(\w+) (\d+)$/gm);
  return Object.fromEntries([...told].map(([, name = "", value = ""]) => [name, BigInt(value)]));
}

function program(section: string, at: number): string {
  const headers = (/^\/\/ [^:,]*/.exec(section)?.[0] ?? "").match(/\S+\.h/g) ?? [];
  const own = headers.map((name) => FOR_PROGRAMS[name] ?? name);
  return [
    // The C library's own comes last: behind it some of the kernel's leave out what it has as well.
    ...["linux/ioctl.h", "linux/major.h", ...own, "stdio.h"].map((name) => `#include <${name}>`),
    `void section${at}(void) {`,
    ...namesIn(section).flatMap((name) => {
      const line = `  printf("${name} %llu\\n", (unsigned long long)(${name}));`;
      return YOUNG.has(name) ? [`#ifdef ${name}`, line, "#endif"] : [line];
    }),
    "}\n",
  ].join("\n");
}
