/**
 * The last steps: from the early userspace to the real root and its init.
 *
 * The order is that of every switch_root: check all that can fail, stop what we started, move the
 * kernel's filesystems into the new root, empty the rootfs, move the new root over it, chroot, exec.
 * See the kernel's ramfs-rootfs-initramfs.rst, pivot_root(2), and execve(2) for what survives it.
 */

import {
  MNT_DETACH,
  MS_MOVE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  type Syscalls,
} from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import type { Boot } from "./context.ts";
import { emptyRootfs } from "./empty-rootfs.ts";
import { type OldRoot, checkHandOver } from "./handover-checks.ts";
import { restoreProcess } from "./legacy.ts";
import { moveKernelMounts } from "./moves.ts";
import { reapAll, stopProcesses } from "./processes.ts";
import { openConsole } from "./stdio.ts";

/** The hand-over failed after the early userspace was given up: nothing can be tried again. */
export class PointOfNoReturn extends UserError {}

/**
 * Hands the machine to the real init below `newRoot`. Does not return.
 * @throws UserError when it can't be done; the early userspace is then still whole
 * @throws PointOfNoReturn when a step failed that can't be taken back
 */
export async function handOver(boot: Boot, newRoot: string): Promise<never> {
  const { sys, log, legacy } = boot;
  const { init, oldRoot } = checkHandOver(sys, newRoot, boot.options.init);
  for (const process of await stopProcesses(sys, log))
    log.warning(`process ${process.pid} (${text(process.name)}) does not end and is left to the new init.`);
  const root = sys.open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  moveKernelMounts(sys, log, newRoot);
  log.info(`handing over to ${text(init)}`);

  // ---- The point of no return: what fails from here on can't be taken back. ----
  if (!pivot(sys, newRoot, oldRoot)) {
    emptyRootfs(sys, log, root);
    atStep("moving the new root over the rootfs", () => {
      sys.chdir(newRoot);
      sys.mount(".", "/", "", MS_MOVE, "");
      sys.chroot(".");
      sys.chdir("/");
    });
  }
  openConsole(sys);
  restoreProcess(sys, log, legacy);
  reapAll(sys);
  return atStep(`starting ${text(init)}`, () => sys.execve(init, [init, ...legacy.args], legacy.env));
}

/**
 * Leaves by pivot_root(2) where the kernel can: always when `/` is a real filesystem, and since
 * Linux 7.0 from an initramfs too, whose rootfs then lies on an immutable one. False when it can't.
 */
function pivot(sys: Syscalls, newRoot: string, oldRoot: OldRoot): boolean {
  if (oldRoot.kind === "filesystem" && oldRoot.putOld !== undefined) {
    const { putOld } = oldRoot;
    atStep("exchanging the root filesystems", () => {
      sys.pivotRoot(newRoot, `${newRoot}${putOld}`);
      sys.chdir("/");
    });
    return true;
  }
  try {
    sys.chdir(newRoot);
    sys.pivotRoot(".", ".");
  } catch (error) {
    // EINVAL is the answer of every kernel that can't: see the notes of pivot_root(2).
    if (oldRoot.kind === "rootfs") return false;
    throw new PointOfNoReturn(`Exchanging the root filesystems failed: ${describe(error)}.`);
  }
  atStep("letting the old root go", () => {
    sys.umount(".", MNT_DETACH);
    sys.chdir("/");
  });
  return true;
}

function atStep<T>(step: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new PointOfNoReturn(`The hand-over failed at ${step}: ${describe(error)}.`);
  }
}
