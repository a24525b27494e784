/** The image and the disks of a boot through a storm of uevents (storm.c). */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../host.ts";
import { rdinitImage } from "../images.ts";

/** An image for the small kernel, whose hook makes the storm that storm.events= on the command line asks for. */
export async function stormImage(name: string): Promise<string> {
  const from = await compile("storm", [join(import.meta.dir, "storm.c")]);
  return rdinitImage({ name, files: [{ to: "/etc/rdinit.d/pre-trigger/10-storm", from, mode: 0o755 }] });
}

/** The second disk, of which the storm tells: empty. */
export function stormDisk(folder: string): string {
  const file = join(folder, "storm.img");
  writeFileSync(file, new Uint8Array(1 << 20));
  return file;
}
