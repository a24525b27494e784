/** What of a passphrase is left in the machine's memory when the real init runs. */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sceneImage } from "./scenes.ts";
import { makeDisksInGuest } from "../maker.ts";
import { probeRoot } from "../probe.ts";
import { MACHINE_MS, bootRdinit } from "../scenario.ts";
import { STORAGE, plainLuks } from "../storage/basic.ts";

/** A copy of the passphrase in memory. */
export interface Copy {
  /** Physical, in bytes. */
  readonly address: number;
  /** It stands in the line that the kernel's terminal took last (drivers/tty/n_tty.c), which no process can reach. */
  readonly inTerminal: boolean;
  /** What stands around it, unprintable bytes as dots. */
  readonly around: string;
}

const MEMORY_MB = 512;
const PAGE = 4096;

/** Boots an encrypted root whose passphrase is typed, and looks through all memory while the real init waits. */
export async function secretsInMemory(dir: string): Promise<Copy[]> {
  const [disk = ""] = await makeDisksInGuest(plainLuks(await probeRoot()));
  await using machine = await bootRdinit("handover-secrets", {
    append: `root=UUID=${STORAGE.filesystem} quiet -- stay`,
    disks: [{ file: disk }],
    initrd: await sceneImage(),
    memory_mb: MEMORY_MB,
  });
  await machine.console.expect(/Passphrase for .*: /, MACHINE_MS);
  machine.console.send(`${STORAGE.passphrase}\n`);
  await machine.console.expect(/^PROBE END \d+$/m, MACHINE_MS);
  const file = join(dir, "memory");
  await machine.qmp.execute("pmemsave", { val: 0, size: MEMORY_MB << 20, filename: file });
  const memory = readFileSync(file);
  rmSync(file);
  return copiesIn(memory, Buffer.from(STORAGE.passphrase));
}

function copiesIn(memory: Buffer, secret: Buffer): Copy[] {
  const copies: Copy[] = [];
  for (let at = memory.indexOf(secret); at >= 0; at = memory.indexOf(secret, at + 1)) {
    const around = memory.subarray(Math.max(0, at - 32), at + 96).toString("latin1");
    const page = at - (at % PAGE);
    // struct n_tty_data begins with read_head, which is where the line ends: its length, with the newline.
    const inTerminal = memory.readUInt32LE(page) === secret.length + 1 && memory[at + secret.length] === 0x0a;
    copies.push({ address: at, inTerminal, around: around.replaceAll(/[^ -~]/g, ".") });
  }
  return copies;
}
