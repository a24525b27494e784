/** `rdinit install`: a boot partition that needs no initramfs. */

import { mkdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { linuxSyscalls } from "../../syscalls/native.ts";
import { sizeOf } from "../image/cpio.ts";
import { exposure, privateFiles } from "../image/exposure.ts";
import { mountOf, parseMountinfo } from "../image/host/mountinfo.ts";
import type { ChosenKernel } from "../image/kernel-choice.ts";
import { planImage } from "../image/request.ts";
import { hostPath } from "../image/root-tree.ts";
import type { ImageSettings } from "../image/settings.ts";
import { applyInstall } from "../install/apply.ts";
import { Directory } from "../install/directory.ts";
import { lackOfFilesystem } from "../install/fit.ts";
import { MANIFEST, type Manifest, parseManifest } from "../install/manifest.ts";
import { type InstallPlan, planInstall } from "../install/plan.ts";
import { namesRoot, runningRoot } from "../install/real-root.ts";
import { buildInstall } from "../install/tree.ts";
import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { buildHost } from "./build-host.ts";
import type { Call, Command } from "./command.ts";
import { explain } from "./image.ts";
import { IMAGE_OPTIONS } from "./image-options.ts";
import { readSettings } from "./image-settings.ts";

const NOT_OF_A_DIRECTORY: ReadonlySet<string> = new Set(["output", "compress", "level", "microcode"]);

export const installCommand: Command = {
  name: "install",
  operands: "DIR",
  operandCount: [1, 1],
  summary:
    "puts what 'rdinit image' puts into an image into DIR, a small mounted boot partition, which the kernel then starts " +
    "by root=THE-PARTITION init=/init, without an initramfs. What is there besides stays; without init=/init the " +
    "partition is a rescue environment",
  options: [
    ...IMAGE_OPTIONS.filter(({ name }) => !NOT_OF_A_DIRECTORY.has(name)),
    {
      name: "force",
      short: "f",
      meaning: "replace files of others that are in the way, and files that were changed",
    },
  ],
  run: runInstall,
};

async function runInstall(call: Call): Promise<number> {
  const { terminal } = call;
  const [target = ""] = call.operands;
  checkTarget(target);
  const notes: string[] = [];
  const settings = withRoot(readSettings(call), notes);
  terminal.progress(`rdinit install: what ${text(target)} needs`);
  const { request, decisions, kernel, ...planned } = planImage(settings, buildHost(), "directory");
  const { entries, lacks, why, ...image } = buildInstall(request);
  mkdirSync(hostPath(target), { recursive: true });
  const sys = linuxSyscalls();
  const directory = new Directory(target, sys);
  const installed = parseManifest(directory.read(MANIFEST), text(directory.outside(MANIFEST)));
  const look = (path: string): string | undefined => directory.look(path);
  const plan = planInstall(entries, installed, look, call.has("force"));
  refuseConflicts(plan, installed, directory);
  terminal.progress(`rdinit install: writing ${plan.write.length} entries to ${text(target)}`);
  const { devices } = applyInstall(directory, plan, installed, sys);
  terminal.progress("");

  if (call.has("verbose")) {
    for (const line of [...decisions, ...lacks.details]) terminal.out(`${line}\n`);
    terminal.out(explain(entries, why));
  }
  if (request.busybox === undefined) notes.push("it is no rescue environment, as there is no busybox.");
  notes.push(...planned.notes, ...image.notes, ...(settings.selection === "generic" ? [] : lacks.notes));
  notes.push(...fitNote(target, kernel), ...changedNote(plan), ...devicesNote(devices));
  const secrets = privateFiles(entries);
  notes.push(...secrets.flatMap((path) => exposure(directory.outside(path.slice(1)), [path])));
  for (const note of notes) terminal.say(`rdinit install: ${note}`);
  if (terminal.watched === true) {
    const size = entries.reduce((sum, entry) => sum + (entry.type === "file" ? sizeOf(entry.data) : 0), 0);
    terminal.say(
      `${text(target)}: ${(size / 1e6).toFixed(1)} MB, ${plan.write.length} of ${entries.length} entries written. ` +
        "The kernel starts it by root=PARTITION init=/init.",
    );
  }
  return 0;
}

// The root of the machine itself would be taken over by it.
function checkTarget(target: string): void {
  const stats = statSync(hostPath(target), { throwIfNoEntry: false });
  if (stats && !stats.isDirectory())
    throw new UserError(
      `${text(target)} is no directory.`,
      "Name the directory where the boot partition is mounted.",
    );
  const root = statSync("/");
  if (stats?.dev === root.dev && stats.ino === root.ino)
    throw new UserError(
      `${text(target)} is the root of this machine, and no boot partition.`,
      "Name the directory where the boot partition is mounted.",
    );
}

// An image is told its root by the boot loader; here root= there is the boot partition.
function withRoot(settings: ImageSettings, notes: string[]): ImageSettings {
  if (namesRoot(settings.bootWords)) return settings;
  const own = settings.root === "/" && settings.selection === "host" ? runningRoot() : undefined;
  if (own === undefined)
    notes.push(
      "the real root is not named: add root=UUID=… to [boot] of rdinit.ini, or rd.root=UUID=… when booting.",
    );
  else notes.push(`the real root is this machine's own, ${own}.`);
  return own === undefined ? settings : { ...settings, bootWords: `${settings.bootWords} ${own}`.trim() };
}

// A directory that is on the machine's own root will be copied to who knows what.
function fitNote(target: string, kernel: ChosenKernel | undefined): string[] {
  const place = fromBytes(realpathSync(hostPath(target), { encoding: "buffer" }));
  const mount = mountOf(parseMountinfo(readFileSync("/proc/self/mountinfo", "latin1")), place);
  if (mount === undefined || mount.point === "/") return [];
  const lack = lackOfFilesystem(mount.type, kernel?.release ?? "", kernel?.config);
  return lack === undefined ? [] : [lack];
}

function refuseConflicts({ conflicts }: InstallPlan, installed: Manifest, directory: Directory): void {
  const [first, ...others] = conflicts;
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  // A machine whose /lib became a symlink to usr/lib is one.
  if (installed.has(first))
    throw new UserError(
      `${text(directory.outside(first))}${more} is in the way: a directory never takes another thing's place here, nor another thing a directory's.`,
      "Move it away with all that is in it; what is needed of that is written anew.",
    );
  throw new UserError(
    `${text(directory.outside(first))}${more} is in the way: rdinit has not put it there.`,
    "Is it the right directory? Move it away, or say --force to replace files; directories are never replaced.",
  );
}

function changedNote({ changed }: InstallPlan): string[] {
  if (changed.length === 0) return [];
  return [`changed by somebody since the last install, and left so: ${changed.map(text).join(", ")}.`];
}

function devicesNote(devices: readonly string[]): string[] {
  if (devices.length === 0) return [];
  return [
    `left out, as it takes root to make them: the device nodes ${devices.map(text).join(", ")}. ` +
      "The kernel must mount /dev itself then (CONFIG_DEVTMPFS_MOUNT).",
  ];
}
