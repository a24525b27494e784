/** A TPM 2.0 for a guest: swtpm(8), spoken to by QEMU alone, and gone with it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./host.ts";

export interface Tpm {
  /** The arguments of QEMU for the chip. */
  readonly arguments: readonly string[];
  /** Ends it, should it still run. */
  readonly end: () => void;
}

/**
 * Starts the chip whose state is in `state`, an existing folder that it writes to; an empty one makes a new chip.
 * `dir` is for its socket. Throws UserError when it is not installed or does not start.
 */
export async function startTpm(state: string, dir: string): Promise<Tpm> {
  const [socket, pid] = [join(dir, "tpm"), join(dir, "tpm.pid")];
  // As a daemon it tells by its return that it listens. It ends when QEMU has let go of it.
  await run([
    ...["swtpm", "socket", "--tpm2", "--daemon", "--terminate", "--pid", `file=${pid}`],
    ...["--tpmstate", `dir=${state}`, "--ctrl", `type=unixio,path=${socket}`],
  ]);
  const process_id = Number(readFileSync(pid, "latin1"));
  return { arguments: tpmArguments(socket), end: () => endProcess(process_id) };
}

/** QEMU's arguments for a chip behind this socket. */
export function tpmArguments(socket: string): string[] {
  return [
    ...["-chardev", `socket,id=tpm,path=${socket}`, "-tpmdev", "emulator,id=tpm0,chardev=tpm"],
    ...["-device", "tpm-tis,tpmdev=tpm0"],
  ];
}

function endProcess(process_id: number): void {
  // Its number may be another's by now.
  const isOurs = (): boolean => {
    try {
      return readFileSync(`/proc/${process_id}/comm`, "latin1").trimEnd() === "swtpm";
    } catch {
      return false;
    }
  };
  if (isOurs()) process.kill(process_id, "SIGKILL");
}
