/** `rdinit image`: builds an initramfs. */

import { statSync } from "node:fs";
import { buildImage } from "../image/build.ts";
import { sizeOf, type CpioEntry } from "../image/cpio.ts";
import { exposure, privateFiles } from "../image/exposure.ts";
import { planImage } from "../image/request.ts";
import { hostPath } from "../image/root-tree.ts";
import { writeImage } from "../image/write.ts";
import { memoryNeeded } from "../check/memory.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { Call, Command, Terminal } from "./command.ts";
import { buildHost } from "./build-host.ts";
import { IMAGE_OPTIONS } from "./image-options.ts";
import { readSettings } from "./image-settings.ts";

export const imageCommand: Command = {
  name: "image",
  operands: "-o FILE",
  operandCount: [0, 0],
  summary: "builds an initramfs with this program as /init",
  options: IMAGE_OPTIONS,
  run: runImage,
};

async function runImage(call: Call): Promise<number> {
  const { terminal } = call;
  const started = performance.now();
  const output = call.value("output");
  if (output === undefined)
    throw new UserError("There is no place to write the image to.", "Say --output FILE.");
  const settings = readSettings(call);
  terminal.progress(`rdinit image: what ${text(output)} needs`);
  const { request, early, decisions, ...planned } = planImage(settings, buildHost());
  terminal.progress("rdinit image: collecting files and kernel modules");
  const { entries, notes, lacks, why } = buildImage(request);
  terminal.progress(`rdinit image: writing ${entries.length} entries to ${text(output)}`);
  await writeImage(output, entries, settings.compression, settings.level, early);

  if (call.has("verbose")) {
    for (const line of [...decisions, ...lacks.details]) terminal.out(`${line}\n`);
    terminal.out(explain(entries, why));
  }
  const exposed = exposure(output, privateFiles(entries));
  for (const note of [...planned.notes, ...notes, ...exposed]) terminal.say(`rdinit image: ${note}`);
  // An image for any machine lacks the firmware of machines that nobody here has.
  if (settings.selection !== "generic") for (const note of lacks.notes) terminal.say(`rdinit image: ${note}`);
  sayResult(terminal, output, entries, performance.now() - started);
  return 0;
}

/** Every entry but directories, with its size and why it is there. */
export function explain(entries: readonly CpioEntry[], why: (path: string) => string | undefined): string {
  return entries
    .filter(({ type }) => type !== "directory")
    .map((entry) => {
      const size = entry.type === "file" ? sizeOf(entry.data) : 0;
      return `${String(size).padStart(10)}  ${text(entry.path)}: ${why(entry.path) ?? "it leads to others"}\n`;
    })
    .join("");
}

function sayResult(
  terminal: Terminal,
  output: string,
  entries: readonly CpioEntry[],
  elapsed_ms: number,
): void {
  terminal.progress("");
  if (terminal.watched !== true) return;
  const file = statSync(hostPath(output)).size;
  const unpacked = entries.reduce((sum, entry) => sum + (entry.type === "file" ? sizeOf(entry.data) : 0), 0);
  const memory = Math.ceil(memoryNeeded({ file, unpacked }) / 1e6);
  terminal.say(
    `${text(output)}: ${(file / 1e6).toFixed(1)} MB, ${entries.length} entries, ${(elapsed_ms / 1000).toFixed(2)} s; ` +
      `takes ${memory} MB of memory to boot`,
  );
}
