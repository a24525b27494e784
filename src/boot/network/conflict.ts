/** A look whether another machine has the same IPv4 address: RFC 5227, by busybox's arping. */

import { exists } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import type { Boot } from "../context.ts";
import { startDaemon } from "../children/daemon.ts";
import { hasProgram } from "../children/spawn.ts";

/**
 * Says so when another machine answers to `address`. The address stays: a wrong alarm must not cost the only way
 * into a machine. Nothing waits for it. Never throws; without arping nothing is looked for.
 */
export async function tellOfConflict(boot: Boot, link: string, address: string): Promise<void> {
  const program = applet(boot, "arping");
  if (program === undefined) return;
  let owner: string | undefined;
  const daemon = startDaemon(boot, {
    argv: [...program, "-D", "-f", "-c", "2", "-w", "2", "-I", link, address],
    name: "arping",
    title: `arping on ${text(link)}`,
    show: "never",
    hear: (line) => (owner ??= /\[([0-9a-fA-F:]{17})\]/.exec(line)?.[1]?.toLowerCase()),
  });
  if (typeof daemon === "string") return;
  await daemon.ended;
  if (owner !== undefined)
    boot.log.error(
      `The machine ${owner} on ${text(link)} has the address ${address} as well: connections will fail now and then. Give this one another.`,
    );
}

/** How one of busybox's programs is called, by its own link or by busybox; undefined when the image has neither. */
export function applet(boot: Boot, name: string): string[] | undefined {
  if (hasProgram(boot.sys, name)) return [name];
  return exists(boot.sys, BUSYBOX) ? [BUSYBOX, name] : undefined;
}

export const BUSYBOX = "/bin/busybox";
