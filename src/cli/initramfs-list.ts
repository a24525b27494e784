/** `rdinit initramfs-list`: the same image as a description that the kernel's build reads. */

import { buildImage } from "../image/build.ts";
import type { CpioEntry } from "../image/cpio.ts";
import { exposure, privateFiles } from "../image/exposure.ts";
import { planImage } from "../image/request.ts";
import { writeInitramfsList } from "../image/write-list.ts";
import { UserError } from "../lib/errors.ts";
import { buildHost } from "./build-host.ts";
import type { Call, Command } from "./command.ts";
import { IMAGE_OPTIONS } from "./image-options.ts";
import { readSettings } from "./image-settings.ts";

const NOT_OF_A_LIST: ReadonlySet<string> = new Set(["compress", "level", "microcode", "verbose"]);

export const initramfsListCommand: Command = {
  name: "initramfs-list",
  operands: "-o FILE",
  operandCount: [0, 0],
  summary:
    "describes the image that 'rdinit image' would build, for gen_init_cpio and CONFIG_INITRAMFS_SOURCE of a kernel; " +
    "contents that are in no file of this machine go to the folder FILE.files",
  options: IMAGE_OPTIONS.filter(({ name }) => !NOT_OF_A_LIST.has(name)),
  run: runInitramfsList,
};

// All else stays where it is on this machine.
function isCopied(entry: CpioEntry): boolean {
  return entry.type === "file" && entry.data instanceof Uint8Array;
}

async function runInitramfsList(call: Call): Promise<number> {
  const output = call.value("output");
  if (output === undefined)
    throw new UserError("There is no place to write the list to.", "Say --output FILE.");
  const { request, ...planned } = planImage(readSettings(call), buildHost());
  const { entries, notes } = buildImage(request);
  await writeInitramfsList(output, entries);
  const exposed = exposure(`${output}.files`, privateFiles(entries.filter(isCopied)));
  for (const note of [...planned.notes, ...notes, ...exposed])
    call.terminal.say(`rdinit initramfs-list: ${note}`);
  return 0;
}
