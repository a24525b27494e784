/** The kernel modules, tools and bits of /etc of an image, by what was asked for: this machine's, all, or exactly these. */

import { release as runningRelease } from "node:os";
import { parseCommandLine } from "../boot/cmdline/cmdline.ts";
import { type FstabSettings, planFstab, readFstabSettings } from "../boot/mount/fstab-plan.ts";
import { readOptions } from "../boot/cmdline/options.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { parseFstab } from "../storage/fstab.ts";
import { etcParts } from "./etc/index.ts";
import { genericModules } from "./generic.ts";
import { allLayers, describeLayer, examineHost, type Layer } from "./host/examine.ts";
import type { ChosenKernel } from "./kernel-choice.ts";
import { readText } from "./module-tree.ts";
import { networkNeeds } from "./network-needs.ts";
import { networkParts } from "./network.ts";
import type { Part } from "./part.ts";
import { findRecipe, toolParts } from "./recipes/index.ts";
import { findProgram } from "./recipes/look.ts";
import { RootTree } from "./root-tree.ts";
import type { ImageSettings } from "./settings.ts";
import { sshPart } from "./ssh/part.ts";

/** What was selected. */
export interface Selected {
  readonly parts: readonly Part[];
  /** Sentences for `--verbose`. */
  readonly decisions: readonly string[];
}

/**
 * Selects what goes in.
 * @throws UserError for drivers and tools that do not exist, and when the needs of this machine can't be told
 */
export function selectParts(
  settings: ImageSettings,
  root: RootTree,
  kernel: ChosenKernel | undefined,
): Selected {
  const words = parseCommandLine(settings.bootWords);
  const { why: asked, needs } = networkNeeds(words, readOptions(words).options);
  const isAsked = settings.network || asked !== undefined;
  const { crypt, arrays, ...chosen } = SELECTORS[settings.selection](
    { ...settings, network: isAsked },
    root,
    kernel,
  );
  const reason = asked ?? (chosen.isRootOnNetwork === true ? "the root of this machine" : undefined);
  const network =
    settings.network || reason !== undefined
      ? networkParts(root, settings.selection, settings.network ? undefined : reason)
      : undefined;
  const ssh = settings.ssh ? sshPart(root, settings) : undefined;
  const names = [
    ...settings.tools,
    ...chosen.tools,
    ...(ssh ? ["dropbear"] : []),
    ...needs.flatMap(({ programs }) => programs),
  ];
  const tools = toolParts(root, names, { arrays, isUnlockedBySsh: settings.ssh });
  return {
    parts: [
      ...chosen.parts,
      ...(network?.parts ?? []),
      ...needs.map(({ why, modules }) => ({ why, modulesIfThere: modules.flat() })),
      ...(ssh ? [ssh.part] : []),
      ...tools,
      ...(settings.selection === "generic" || !names.includes("iscsistart") ? [] : initiatorPart(root)),
      ...etcParts(root, { crypt, keyFiles: settings.keyFiles, mounts: fstabSettings(settings).mounts }),
    ],
    decisions: [...chosen.decisions, ...(network?.decisions ?? []), ...(ssh?.decisions ?? [])],
  };
}

// A target knows the machine by this name: an image for any machine must not bring that of one.
function initiatorPart(root: RootTree): Part[] {
  const path = "/etc/iscsi/initiatorname.iscsi";
  return root.resolve(path)?.type === "file" ? [{ why: "this machine's name for iSCSI", files: [path] }] : [];
}

interface Chosen extends Selected {
  /** Recipes or programs. */
  readonly tools: readonly string[];
  /** The arrays and encrypted volumes that matter, by UUID or name; undefined where all may. */
  readonly arrays?: readonly string[];
  readonly crypt?: readonly string[];
  readonly isRootOnNetwork?: boolean;
}

type Selector = (settings: ImageSettings, root: RootTree, kernel: ChosenKernel | undefined) => Chosen;

const SELECTORS: Readonly<Record<ImageSettings["selection"], Selector>> = {
  drivers: ({ drivers }, root, kernel) => {
    if (drivers.length > 0 && !kernel?.modules)
      throw new UserError(
        `The drivers ${drivers.map(text).join(", ")} can't be had: there is no directory of kernel modules in ${text(root.outside("/lib/modules"))}.`,
        "Name it by --modules, or say --drivers none for a kernel that has them built in.",
      );
    return { parts: [{ why: "--drivers", modules: drivers }], tools: [], decisions: [] };
  },
  generic: ({ network }, root, kernel) => {
    const modules =
      kernel?.modules && kernel.release !== undefined
        ? genericModules(new RootTree(kernel.modules.root), {
            release: kernel.release,
            directory: kernel.modules.directory,
            network,
          })
        : [];
    const tools = [...GENERIC_TOOLS, ...(network ? NETWORK_TOOLS : [])].filter((name) => isThere(root, name));
    return {
      parts: [{ why: "--generic", modules }],
      tools,
      decisions: [
        `${modules.length} kernel modules are chosen, as --generic says.`,
        ...(tools.length > 0 ? [`These tools are installed and go in: ${tools.map(text).join(", ")}.`] : []),
      ],
    };
  },
  host: (settings, root, kernel) => {
    const points = ["/", "/usr", ...earlyMounts(settings, root)];
    const { part, keyboards, tools, layers } = examineHost(root, [...new Set(points)]);
    const all = allLayers(layers);
    const uuids = (kind: Layer["kind"]) =>
      all.flatMap((layer) => (layer.kind === kind && layer.uuid !== undefined ? [layer.uuid] : []));
    const names = all.filter(({ kind }) => kind === "encryption").map(({ node }) => baseName(node));
    const isRootOnNetwork = all.some((layer) => layer.isOnNetwork === true);
    return {
      parts: [kernel?.release === runningRelease() ? part : forOtherKernel(part), keyboards],
      tools: tools.map(({ name }) => name),
      arrays: uuids("array"),
      crypt: [...uuids("encryption"), ...names],
      isRootOnNetwork,
      decisions: [
        ...layers.map((layer) => `${describeLayer(layer)}.`),
        ...tools.map(({ name, why }) => `The tool ${text(name)} goes in: ${why}.`),
      ],
    };
  },
};

function fstabSettings({ bootWords }: ImageSettings): FstabSettings {
  return readFstabSettings(parseCommandLine(bootWords)).settings;
}

// What /init mounts besides the root, as the parameters of the image and fstab have it.
function earlyMounts(settings: ImageSettings, root: RootTree): string[] {
  const { entries } = parseFstab(readText(root, "/etc/fstab") ?? "");
  return planFstab(entries, [], fstabSettings(settings)).planned.map(({ mountPoint }) => mountPoint);
}

// What is a module of its own in the running kernel may be built into another, or be called otherwise.
function forOtherKernel({ modules = [], ...rest }: Part): Part {
  return { ...rest, modulesExpected: modules };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What an image for any machine has of these, as far as they are installed. */
const GENERIC_TOOLS: readonly string[] = [
  ...["mdadm", "lvm", "cryptsetup"],
  ...["fsck.ext4", "fsck.xfs", "fsck.btrfs", "fsck.f2fs", "fsck.vfat"],
];

/** Those that attach disks of the network. */
const NETWORK_TOOLS: readonly string[] = ["nbd-client", "iscsistart"];

function isThere(root: RootTree, name: string): boolean {
  const programs = findRecipe(name)?.programs ?? [name];
  return programs.every((program) => findProgram(root, program) !== undefined);
}
