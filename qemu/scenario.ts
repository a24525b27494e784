/** What the boot scenarios share: rdinit in an initramfs on some machine, and the probe as the real init. */

import { join } from "node:path";
import { type DiskRecipe, makeDisk } from "./disks.ts";
import { type RdinitImage, rdinitImage } from "./images.ts";
import { builtinKernel } from "./kernel.ts";
import { type Machine, type MachineOptions, startMachine } from "./machine.ts";
import { type Listing, parseListing, probeRoot } from "./probe.ts";
import type { Tree } from "./tree.ts";

/** How long a machine of a scenario may run, and how long a test may wait for a word on its console. */
export const MACHINE_MS = 60_000;

/** For a test of one boot: a busy machine takes several times as long as an idle one. */
export const TEST_MS = 90_000;

/** The UUID of the disk that probeDisk() makes, unless the recipe says another. */
export const ROOT_UUID = "8a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a003";

/** A disk in `dir` whose init is the probe; an ext4 with ROOT_UUID, but for what `recipe` says. Its path. */
export async function probeDisk(
  dir: string,
  recipe: Partial<DiskRecipe> & { readonly more?: Tree } = {},
): Promise<string> {
  const { more = [], ...wanted } = recipe;
  const file = join(dir, recipe.file ?? "root.img");
  const tree = [...(await probeRoot()), ...more];
  await makeDisk({ type: "ext4", tree, uuid: ROOT_UUID, size_mb: 16, ...wanted, file });
  return file;
}

/**
 * Starts a machine under the built-in kernel. The initramfs is `initrd`, or rdinit alone, made as `image` says.
 * `name` is the log's; the machine is the test's to end, by what it boots or by stop().
 */
export async function bootRdinit(
  name: string,
  { image, ...machine }: Partial<MachineOptions> & { readonly image?: Partial<RdinitImage> },
): Promise<Machine> {
  return startMachine({
    kernel: image?.kernel?.vmlinuz ?? (await builtinKernel()).vmlinuz,
    initrd: machine.initrd ?? (await rdinitImage({ name, ...image })),
    timeout_ms: MACHINE_MS,
    ...machine,
    name,
  });
}

/** Waits until the probe has told all and powered the machine off. Throws Error with the console's end otherwise. */
export async function probed(machine: Machine, timeout_ms = MACHINE_MS): Promise<Listing> {
  await machine.console.expect(/^PROBE END \d+$/m, timeout_ms);
  await machine.expectEnd("powered off");
  return parseListing(machine.console.text);
}

/** What rdinit said on the console so far, a sentence a line, as a person would read it (UTF-8). */
export function said(machine: Machine): string[] {
  const spoken: string[] = [];
  let cut = false;
  for (const [, words = ""] of machine.console.text.matchAll(/^(?:\[ *\d+\.\d+\] )?rdinit: ([^\n]*)$/gm)) {
    // What is too long for one record of the kernel's log goes on in the next (boot/log.ts).
    if (cut && words.startsWith("  ")) spoken.push(`${spoken.pop() ?? ""} ${words.trimStart()}`);
    else spoken.push(words);
    cut = words.length > SHORTEST_CUT;
  }
  return spoken.map((words) => Buffer.from(words, "latin1").toString("utf8"));
}

const SHORTEST_CUT = 440;

/** Throws Error with the end of the console unless rdinit said each of these sentences, whole and in any order. */
export function expectSaid(machine: Machine, sentences: readonly (string | RegExp)[]): void {
  const spoken = said(machine);
  for (const wanted of sentences) {
    if (spoken.some((words) => (typeof wanted === "string" ? words === wanted : wanted.test(words))))
      continue;
    const what = typeof wanted === "string" ? JSON.stringify(wanted) : String(wanted);
    throw new Error(
      machine.console.failure(`rdinit did not say ${what}, but this:\n  ${spoken.join("\n  ")}\n`),
    );
  }
}

/** The kernel's time of the first line of a console that holds `words`, in seconds; NaN when there is none. */
export function kernelTime(console: string, words: string): number {
  const line = console.split("\n").find((text) => text.includes(words)) ?? "";
  return Number(/^\[ *(\d+\.\d+)\]/.exec(line)?.[1]);
}

/** What the rescue shell asks with. */
export const SHELL_PROMPT = "rdinit# ";

/**
 * Types a line in the rescue shell, which has just asked, and waits until it asks for the next; what was printed
 * in between. Lines of more than 70 characters are wrapped by the shell, and would not be found.
 */
export async function shellCommand(machine: Machine, line: string): Promise<string> {
  machine.console.send(`${line}\n`);
  await machine.console.expect(`${line}\n`, MACHINE_MS);
  const [printed] = await machine.console.expect(new RegExp(`[^]*?(?=${SHELL_PROMPT})`), MACHINE_MS);
  await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
  return printed;
}
