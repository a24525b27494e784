/** The images that `rdinit image` builds for the benchmark and for the record of hot pages. */

import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { PROJECT, run } from "../host.ts";
import type { Kernel } from "../kernel.ts";
import { BENCH_DIR } from "./boot.ts";
import { STORAGE } from "../storage/basic.ts";
import { STACK_KEY, STACK_KEY_PATH, type Stack } from "./stacks.ts";

/** Options of `rdinit image`, besides those that all of these images have. */
export interface BuildRequest {
  /** Names the file, build/bench/NAME.img. */
  readonly name: string;
  readonly kernel: Kernel;
  readonly options: readonly string[];
}

/** The command that builds an image, and the file that it writes. The machine's own rdinit.ini does not count. */
export function imageCommand({ name, kernel, options }: BuildRequest): { argv: string[]; file: string } {
  const file = join(BENCH_DIR, `${name}.img`);
  const argv = [
    ...[join(PROJECT, "build/rdinit"), "image", "-c", "/dev/null", "--modules", kernel.modules],
    ...[...options, "-o", file],
  ];
  return { argv, file };
}

/** A command as somebody would type it in the project's folder. */
export function commandText(argv: readonly string[]): string {
  return argv.map((word) => (word.startsWith(PROJECT) ? relative(PROJECT, word) : word)).join(" ");
}

/** Builds the image and returns its path. */
export async function buildBenchImage(request: BuildRequest): Promise<string> {
  mkdirSync(BENCH_DIR, { recursive: true });
  const { argv, file } = imageCommand(request);
  await run(argv);
  return file;
}

/** The file that opens the encrypted volume, as it is put into images. */
export async function keyFile(): Promise<string> {
  mkdirSync(BENCH_DIR, { recursive: true });
  const file = join(BENCH_DIR, "root.key");
  await Bun.write(file, STACK_KEY);
  return file;
}

/** rdinit's image for a stack: for any machine, or with nothing but what it takes. */
export async function stackImage(
  kernel: Kernel,
  stack: Stack,
  form: "generic" | "drivers",
  more: readonly string[] = [],
): Promise<string> {
  const chosen =
    form === "generic"
      ? ["--generic"]
      : ["--drivers", stack.drivers.join(" "), "--tools", stack.tools.join(" ")];
  const key = stack.encrypted ? ["--include", `${await keyFile()}:${STACK_KEY_PATH}`] : [];
  return buildBenchImage({
    name: `${form}-${stack.name.toLowerCase().replaceAll("+", "-")}`,
    kernel,
    options: [...chosen, ...key, ...more],
  });
}

/** What a kernel command line says of a stack, besides root=: the encrypted volume is named, as one that is not named is opened a second later. */
export function stackParameters(stack: Stack): string {
  return stack.encrypted
    ? ` rd.luks.name=${STORAGE.luks}=clear rd.luks.key=${STORAGE.luks}=${STACK_KEY_PATH}`
    : "";
}
