/** The tables of the README say what the tables of the program say. */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hookPoints } from "../../src/boot/points.ts";
import { parameters } from "../../src/boot/cmdline/parameters.ts";
import { subsystemParameters } from "../../src/boot/cmdline/subsystems.ts";
import { COMMANDS } from "../../src/cli.ts";
import { IMAGE_OPTIONS, NOT_IN_CONFIG } from "../../src/cli/image-options.ts";

const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

// The whole text in a message would help nobody.
function expectRow(row: string): void {
  if (!readme.includes(row)) throw new Error(`README.md lacks this: ${row}`);
}

describe("README", () => {
  test.each([...parameters, ...subsystemParameters].map(({ usage, meaning }) => [usage, meaning]))(
    "has the parameter %s",
    (usage, meaning) => {
      expectRow(`| \`${cell(usage)}\` | ${meaning} |\n`);
    },
  );
  test.each(
    IMAGE_OPTIONS.filter(({ name }) => !NOT_IN_CONFIG.includes(name)).map(({ name, value }) => [name, value]),
  )("has the key %s of [image]", (name, value) => {
    expectRow(`| \`${name} = ${value === undefined ? "yes" : cell(value)}\` |`);
  });
  test.each(hookPoints.map(({ name, when }) => [name, when]))("has the point %s for hooks", (name, when) => {
    expectRow(`| \`${name}\` | ${when} |\n`);
  });
  test.each(COMMANDS.map(({ name }) => [name]))("has the command %s", (name) => {
    expect(readme).toMatch(new RegExp(`\`(?:rdinit )?${name}[ \`]`));
  });
});
