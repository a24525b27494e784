/** `rdinit check`: would this image boot here? */

import { readFileSync, statSync } from "node:fs";
import { linuxSyscalls } from "../../syscalls/native.ts";
import type { Finding } from "../check/finding.ts";
import { checkImage } from "../check/image.ts";
import { openImage } from "../image/archive.ts";
import { hostPath, RootTree } from "../image/root-tree.ts";
import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { Call, Command } from "./command.ts";

export const checkCommand: Command = {
  name: "check",
  operands: "IMAGE",
  operandCount: [1, 1],
  summary: "says whether an image would boot on this machine, and what stands against it",
  options: [
    {
      name: "cmdline",
      value: "WORDS",
      mayBeEmpty: true,
      meaning: "with this kernel command line; this machine's own when left out",
    },
    {
      name: "kernel",
      short: "k",
      value: "VERSION",
      meaning: "with this kernel; the one that the image has modules for when left out",
    },
    {
      name: "root",
      value: "DIR",
      meaning:
        "on the machine whose root tree this is: its kernels count, and the disks of this machine do not",
    },
    { name: "memory", value: "MB", meaning: "with so much memory; this machine's when left out" },
  ],
  run,
};

async function run({ operands, value, terminal }: Call): Promise<number> {
  const [path = ""] = operands;
  const root = value("root") ?? "/";
  const line = value("cmdline") ?? fromBytes(readFileSync("/proc/cmdline")).trimEnd();
  const findings = await checkImage(openImage(path), path, statSync(hostPath(path)).size, {
    line,
    kernel: value("kernel"),
    root: new RootTree(root),
    sys: root === "/" ? linuxSyscalls() : undefined,
    memory: readMemory(value("memory")),
  });
  for (const { kind, sentence } of findings) terminal.out(`${PREFIXES[kind]}${sentence}\n`);
  const errors = findings.filter(({ kind }) => kind === "error").length;
  terminal.out(errors === 0 ? `${text(path)} would boot.\n` : `${text(path)} would not boot.\n`);
  return errors === 0 ? 0 : 1;
}

const PREFIXES: Readonly<Record<Finding["kind"], string>> = {
  error: "error: ",
  warning: "warning: ",
  fact: "",
};

function readMemory(given: string | undefined): number {
  if (given !== undefined) {
    if (!/^\d{1,9}$/.test(given))
      throw new UserError(`--memory is a number of megabytes, not '${text(given)}'.`);
    return Number(given) * 1e6;
  }
  const total = /^MemTotal: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1];
  return Number(total ?? 0) * 1024;
}
