/** From what a person asked for to what an image is made of. */

import { readFileSync } from "node:fs";
import { release as runningRelease } from "node:os";
import { fromBytes, text, toBytes } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { ImageRequest } from "./build.ts";
import { findBusyboxes } from "./busybox.ts";
import { includedFiles } from "./includes.ts";
import type { CpioEntry } from "./cpio.ts";
import { type EarlyMicrocode, microcodeArchive } from "./microcode.ts";
import { chooseInit } from "./init-file.ts";
import { chooseKernel, type ChosenKernel } from "./kernel-choice.ts";
import { checkCompression } from "./kernel-config.ts";
import type { Part } from "./part.ts";
import { RootTree } from "./root-tree.ts";
import { selectParts } from "./selection.ts";
import type { ImageSettings } from "./settings.ts";

/** An image that can be built, and what was found out on the way. */
export interface Planned {
  readonly request: ImageRequest;
  /** What stands in front of the image, for the kernel's first look. */
  readonly early: readonly CpioEntry[];
  readonly kernel: ChosenKernel | undefined;
  /** Sentences for `--verbose`: what was decided, and why. */
  readonly decisions: readonly string[];
  /** Sentences about what could not be had. */
  readonly notes: readonly string[];
}

/** What the build depends on besides its settings. */
export interface BuildHost {
  /** The path of the running program. */
  readonly program: string;
  /** Seconds since 1970 that all files bear (SOURCE_DATE_EPOCH). */
  readonly mtime: number;
}

/**
 * Plans the image that `settings` ask for: an initramfs, or a directory that the kernel boots from without one.
 * @throws UserError for what is not there
 */
export function planImage(
  settings: ImageSettings,
  host: BuildHost,
  form: "initramfs" | "directory" = "initramfs",
): Planned {
  const root = new RootTree(settings.root);
  if (root.resolve("/")?.type !== "directory")
    throw new UserError(`The root ${text(settings.root)} is no directory.`, "Check --root.");
  const kernel =
    settings.selection === "drivers" && settings.drivers.length === 0
      ? undefined
      : chooseKernel(root, {
          release: settings.kernel,
          directory: settings.modules,
          running: settings.root === "/" ? runningRelease() : undefined,
        });
  if (form === "initramfs" && kernel?.config)
    checkCompression(kernel.config, kernel.release ?? "", settings.compression);
  const selected = selectParts(settings, root, kernel);
  const included = includedFiles(root, settings.includes);
  const busybox = settings.shell ? findBusyboxes(root)[0] : undefined;
  const request: ImageRequest = {
    init: chooseInit(host.program, settings.init, kernel?.config),
    root: settings.root,
    parts: [...selected.parts, ...included.parts, ...parameterPart(settings)],
    files: included.files,
    ...(kernel?.modules && kernel.release !== undefined
      ? {
          modules: {
            release: kernel.release,
            ...kernel.modules,
            names: [],
            ifThere: ["sha256_ssse3"],
            packed: form === "initramfs" && packsModules(settings),
          },
        }
      : {}),
    ...(busybox === undefined ? {} : { busybox }),
    mtime: host.mtime,
  };
  const { entries: early, notes } = processorMicrocode(root, settings.microcode);
  return {
    request,
    early,
    kernel,
    decisions: selected.decisions,
    notes: [...(kernel?.notes ?? []), ...notes],
  };
}

/**
 * Of a generic image's modules a machine loads one in fifty, and each megabyte costs every boot three milliseconds; what
 * compresses the image as a whole does better on modules that are not compressed.
 */
function packsModules({ selection, compression }: ImageSettings): boolean {
  return selection === "generic" && compression === "none";
}

function processorMicrocode(root: RootTree, which: ImageSettings["microcode"]): EarlyMicrocode {
  if (which === "none") return { entries: [], notes: [] };
  return microcodeArchive(root, which, fromBytes(readFileSync("/proc/cpuinfo")));
}

/** /init reads these in front of the kernel's (src/boot/cmdline/packed.ts). */
function parameterPart({ bootWords }: ImageSettings): Part[] {
  if (bootWords === "") return [];
  const made = [{ to: "/etc/rdinit/cmdline", data: toBytes(`${bootWords}\n`) }];
  return [{ why: "parameters for /init", made }];
}
