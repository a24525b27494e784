/**
 * The last steps: from the early userspace to the real root and its init.
 *
 * The order is that of every switch_root: check all that can fail, stop what we started, move the
 * kernel's filesystems into the new root, empty the rootfs, move the new root over it, chroot, exec.
 * See the kernel's ramfs-rootfs-initramfs.rst, pivot_root(2), and execve(2) for what survives it.
 */

import { MNT_DETACH, MS_MOVE, type Syscalls } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { emptyRootfs } from "./empty-rootfs.ts";
import { type OldRoot, checkHandOver } from "./checks.ts";
import { restoreProcess } from "../legacy.ts";
import type { Log } from "../log.ts";
import { type Moves, detachAll, moveKernelMounts, putBack } from "./moves.ts";
import { reapAll, stopProcesses } from "./processes.ts";
import { type OldRootSettings, readOldRootSettings, remountOldRoot } from "./oldroot.ts";
import { openConsole } from "./stdio.ts";
import { systemdArguments } from "./systemd-state.ts";
import { saveTiming } from "../timing/save.ts";

/** The hand-over failed after the early userspace was given up: nothing can be tried again. */
export class PointOfNoReturn extends UserError {}

/**
 * Hands the machine to the real init below `newRoot`. Does not return.
 * @throws UserError when it can't be done; the early userspace is then still whole
 * @throws PointOfNoReturn when a step failed that can't be taken back
 */
export async function handOver(boot: Boot, newRoot: string): Promise<never> {
  const { sys, log, legacy, timing } = boot;
  const { settings } = readOldRootSettings(boot.words);
  const { init, oldRoot } = timing.step("checking the hand-over", () =>
    checkHandOver(sys, log, newRoot, boot.options.init, settings),
  );
  await timing.step("ending other processes", () => stopOthers(boot));
  const moves = timing.step("moving the kernel's filesystems", () => moveKernelMounts(sys, log, newRoot));
  log.info(`handing over to ${text(init)}`);
  const exchanged = enterNewRoot(sys, log, newRoot, oldRoot, moves);

  // ---- The point of no return: what fails from here on can't be taken back. ----
  if (exchanged)
    timing.step("letting the old root go", () => leaveOldRoot(sys, log, oldRoot, moves, settings));
  else timing.step("emptying and covering the rootfs", () => coverRootfs(sys, log, oldRoot, moves));
  detachAll(sys, log, moves.below);
  openConsole(sys, log);
  restoreProcess(sys, log, legacy);
  reapRest(sys, log);
  saveTiming(boot, `handing over to ${text(init)}`);
  const argv = [init, ...systemdArguments(boot, init), ...legacy.args];
  return atStep(`starting ${text(init)}`, () => sys.execve(init, argv, legacy.env));
}

/** Ends all other processes. Never throws: a machine with a process too many is better than none. */
export async function stopOthers({ sys, log, reaper }: Boot): Promise<void> {
  try {
    for (const process of await stopProcesses(sys, log, reaper))
      log.warning(`process ${process.pid} (${text(process.name)}) does not end and is left to the new init.`);
  } catch (error) {
    log.warning(`processes of the early userspace may be left to the new init: ${describe(error)}.`);
  }
}

/**
 * Makes the new root the working directory, and by pivot_root(2) the root too where the kernel can: always
 * when `/` is a real filesystem, and since Linux 7.0 from an initramfs, whose rootfs then lies on an
 * immutable one. True when it did; false when the rootfs has to be covered instead.
 * @throws UserError when neither can be done; all is where it was then
 */
function enterNewRoot(sys: Syscalls, log: Log, newRoot: string, oldRoot: OldRoot, moves: Moves): boolean {
  try {
    sys.chdir(newRoot);
    return pivot(sys, oldRoot);
  } catch (error) {
    putBack(sys, log, newRoot, moves.moved);
    goHome(sys, log);
    throw new UserError(`The new root can't take the place of the old one: ${describe(error)}.`);
  }
}

function goHome(sys: Syscalls, log: Log): void {
  try {
    sys.chdir("/");
  } catch (error) {
    log.warning(`the working directory stays in the new root: ${describe(error)}.`);
  }
}

function pivot(sys: Syscalls, oldRoot: OldRoot): boolean {
  const putOld = oldRoot.kind === "filesystem" ? oldRoot.putOld : undefined;
  try {
    sys.pivotRoot(".", putOld === undefined ? "." : `.${putOld}`);
    return true;
  } catch (error) {
    // EINVAL is the answer of every kernel that can't: see the notes of pivot_root(2).
    if (oldRoot.kind === "rootfs") return false;
    throw error;
  }
}

/** Lets go of the old root after pivot_root(2): it is below `putOld`, or else lies on the new one. */
function leaveOldRoot(
  sys: Syscalls,
  log: Log,
  oldRoot: OldRoot,
  moves: Moves,
  settings: OldRootSettings,
): void {
  const putOld = oldRoot.kind === "filesystem" ? oldRoot.putOld : undefined;
  if (putOld === undefined) {
    // While it lies there, a ".." that leads to the new root leads into the old one. Linux 7 keeps a rootfs that nothing
    // mounts any more, with all that is in it.
    if (oldRoot.kind === "rootfs") emptyRootfs(sys, log, "..", oldRoot.dev);
    atStep("letting the old root go", () => sys.umount(".", MNT_DETACH));
  } else {
    detachAll(
      sys,
      log,
      moves.left.map((path) => `${putOld}${path}`),
    );
  }
  atStep("entering the new root", () => sys.chdir("/"));
  remountOldRoot(sys, log, { ...settings, place: putOld });
}

/** Empties the rootfs, which nothing can unmount, and moves the new root over it. */
function coverRootfs(sys: Syscalls, log: Log, oldRoot: OldRoot, moves: Moves): void {
  detachAll(sys, log, moves.left);
  if (oldRoot.kind === "rootfs") emptyRootfs(sys, log, "/", oldRoot.dev);
  atStep("moving the new root over the rootfs", () => {
    sys.mount(".", "/", "", MS_MOVE, "");
    sys.chroot(".");
    sys.chdir("/");
  });
}

/** Reaps what has ended last. Never throws. */
export function reapRest(sys: Syscalls, log: Log): void {
  try {
    reapAll(sys);
  } catch (error) {
    log.warning(`an ended process may be left to the new init: ${describe(error)}.`);
  }
}

function atStep<T>(step: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new PointOfNoReturn(`The hand-over failed at ${step}: ${describe(error)}.`);
  }
}
