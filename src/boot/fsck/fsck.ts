/**
 * Checks a filesystem by its own tool before it is mounted.
 *
 * Which exit status stops the boot follows systemd's fsck.c: errors that are left, and nothing else. A tool that
 * could not do its work (8, 16, 32, 128) is told of, and the mount shows whether it matters.
 */

import { SysError, type Syscalls, mkdirs, writeFile } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import { describeEnd, runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { CheckScreen } from "./progress.ts";
import { type FsckSettings, readFsckSettings } from "./settings.ts";
import { FSCK, describeTrouble, planCheck } from "./tools.ts";
import { hasProgram } from "../children/spawn.ts";
import { readAttribute } from "../devices/attributes.ts";

/** What is to be checked. */
export interface CheckRequest {
  readonly device: BlockDevice;
  /** Its filesystem, as the kernel calls it. */
  readonly type: string;
  /** fs_passno of fstab(5): 0 is no check, unless fsck.mode=force asks for one; undefined where it is not known. */
  readonly pass: number | undefined;
  /** What the real init's own check is told by, so that it is not made twice: "root" or "usr". */
  readonly part: "root" | "usr" | undefined;
}

/**
 * Checks a filesystem that is not mounted; true when something was mended. There is no deadline, as systemd's
 * units have none: a check that is cut off may leave more damage than there was.
 * @throws UserError when errors are left
 */
export async function checkFilesystem(
  boot: Boot,
  request: CheckRequest,
  run: typeof runChild = runChild,
): Promise<boolean> {
  const { log } = boot;
  const { device, type } = request;
  const { settings } = readFsckSettings(boot.words);
  const title = `${device.node} (${text(type)})`;
  const check = planCheck(type, device.node, settings);
  const reason = whyNot(boot.sys, request, settings, check?.argv[0]);
  if (check === undefined || reason !== undefined) {
    log.debug(`${title} is not checked: ${reason}`);
    return false;
  }
  const screen = new CheckScreen(boot, title);
  const { end } = await run(boot, {
    argv: check.argv,
    name: check.argv[0] ?? "",
    title: `the check of ${title}`,
    env: { LC_ALL: "C" },
    show: "never",
    hear: (line) => screen.hear(line),
    deadline_ms: undefined,
  });
  if (end.kind === "exited" && end.status === 0) {
    log.debug(`${title} is sound`);
    leaveWord(boot, request);
    return false;
  }
  for (const line of screen.last()) log.warning(`${check.argv[0]}: ${line}`);
  if (end.kind === "exited") {
    const bits = check.meaning(end.status);
    const corrected = judge(boot, title, check.argv, bits);
    if ((bits & ~FSCK.corrected) === 0) leaveWord(boot, request);
    return corrected;
  }
  log.warning(`the check of ${title} ${describeEnd(end)}; the boot goes on without it.`);
  return false;
}

function judge({ sys, log }: Boot, title: string, argv: readonly string[], bits: number): boolean {
  if ((bits & FSCK.uncorrected) !== 0)
    throw new UserError(
      `${title} has errors that its check could not correct, and is not mounted.`,
      `Repair it by hand (${argv[0]} ${argv.at(-1)}), boot with fsck.repair=yes to have all of it corrected, or ` +
        "with fsck.mode=skip to mount it as it is.",
    );
  if ((bits & FSCK.reboot) !== 0) {
    log.error(`The check of ${title} asks for a reboot. Rebooting.`);
    reboot(sys);
  }
  const corrected = (bits & FSCK.corrected) !== 0;
  if (corrected) log.notice(`${title} had errors, which its check has corrected.`);
  const trouble = bits & ~(FSCK.corrected | FSCK.reboot);
  if (trouble !== 0)
    log.warning(
      `${title} could not be checked (${describeTrouble(trouble)}); the boot goes on without that.`,
    );
  return corrected;
}

/**
 * Where initramfs-tools notes its checks; systemd-fsck-root.service, systemd-fsck-usr.service and Debian's
 * checkroot.sh look there.
 */
function leaveWord({ sys, log }: Boot, { part }: CheckRequest): void {
  if (part === undefined) return;
  try {
    mkdirs(sys, "/run/initramfs");
    writeFile(sys, `/run/initramfs/fsck-${part}`, "");
  } catch (error) {
    log.debug(`the check will be made once more: ${describe(error)}`);
  }
}

function reboot(sys: Syscalls): void {
  sys.sync();
  try {
    sys.reboot("restart");
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new UserError(`The machine can't be rebooted: ${describe(error)}.`, "Reset it.");
  }
}

function whyNot(
  sys: Syscalls,
  { device, pass }: CheckRequest,
  { mode }: FsckSettings,
  program: string | undefined,
): string | undefined {
  if (mode === "skip") return "fsck.mode=skip says so";
  if (program === undefined) return "this filesystem needs no check";
  if (pass === 0 && mode !== "force") return "its line in fstab says so";
  if (readAttribute(sys, `/sys/class/block/${device.name}/ro`) === "1") return "it can't be written to";
  return hasProgram(sys, program) ? undefined : `${program} is not in the image`;
}
