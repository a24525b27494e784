/** mmdebstrap(1) as all trees of Debian are made, and what they are kept as. */

import { rmSync } from "node:fs";
import { run } from "../host.ts";
import { networkOptions, sourceFiles } from "./apt.ts";

/** Given at every call. */
export const OPTIONS = [
  "--dpkgopt=force-unsafe-io",
  ...["doc", "info", "locale", "man"].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
];

/**
 * Makes a tree. `argv` ends with the release and the file to be made; the machine's sources come behind them, and `env`
 * is there for hooks. Throws UserError with mmdebstrap's last words when it fails.
 */
export async function mmdebstrap(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const network = await networkOptions();
  const files = await sourceFiles();
  // No device nodes, which only root could unpack: /dev is the kernel's before anything looks into it.
  await run(["mmdebstrap", "--quiet", "--skip=output/dev", ...OPTIONS, ...network, ...argv, ...files], {
    env,
  });
}

/** Makes `to`, a squashfs, of the tree that `make` leaves in a file of tar(1). */
export async function squashed(to: string, make: (tar: string) => Promise<void>): Promise<void> {
  const tar = `${to}.tar`;
  try {
    await make(tar);
    await run(["sh", "-c", SQUASH, to, tar]);
  } finally {
    rmSync(tar, { force: true });
  }
}

const SQUASH =
  'mksquashfs - "$0" -tar -comp zstd -Xcompression-level 3 -root-mode 0755 -no-progress -quiet <"$1"';
