/** Directories of this machine that a guest mounts: by 9P, which QEMU itself serves, and by virtiofs. */

import { join } from "node:path";
import { tryRun } from "./host.ts";

/** A guest's arguments for a directory by 9P. It may not write what the user that runs QEMU may not. */
export function share9p(dir: string, tag: string): string[] {
  const escaped = dir.replaceAll(",", ",,");
  return ["-virtfs", `local,path=${escaped},mount_tag=${tag},security_model=none,multidevs=remap`];
}

/** Why no directory can be shared by virtiofs here; undefined when it can. */
export async function virtiofsNeed(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "virtiofsd shares directories as root only";
  const { status } = await tryRun([VIRTIOFSD, "--version"]);
  return status === 0 ? undefined : `there is no ${VIRTIOFSD}`;
}

/** A directory shared by virtiofs while this is in use. */
export interface VirtiofsShare {
  /** The guest's; it must have as much memory as they say. */
  readonly arguments: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Shares `dir`; the socket is made in `sockets`. It serves one guest, and ends with it. */
export async function shareVirtiofs(
  dir: string,
  tag: string,
  sockets: string,
  memory_mb: number,
): Promise<VirtiofsShare> {
  const socket = join(sockets, `${tag}.sock`);
  const argv = [VIRTIOFSD, `--socket-path=${socket}`, "-o", `source=${dir}`, "-o", "sandbox=chroot", "-f"];
  const child = Bun.spawn(["setpriv", "--pdeathsig=KILL", ...argv], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  await untilListening(child.stderr);
  return {
    arguments: [
      ...["-object", `memory-backend-memfd,id=shared,size=${memory_mb}M,share=on`],
      ...["-numa", "node,memdev=shared"],
      ...["-chardev", `socket,id=${tag},path=${socket}`],
      ...["-device", `vhost-user-fs-pci,chardev=${tag},tag=${tag}`],
    ],
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

const VIRTIOFSD = "/usr/lib/qemu/virtiofsd";

/** Throws Error with what it said when it ends instead. What it says later is read, so that it never waits. */
async function untilListening(stderr: ReadableStream<Uint8Array>): Promise<void> {
  const listening = Promise.withResolvers<void>();
  const read = async (): Promise<void> => {
    let said = "";
    for await (const bytes of stderr) {
      said += Buffer.from(bytes).toString();
      if (said.includes("Waiting for vhost-user socket connection")) listening.resolve();
    }
    listening.reject(new Error(`virtiofsd ended before it listened, and said: ${said.trim()}`));
  };
  void read();
  await listening.promise;
}
