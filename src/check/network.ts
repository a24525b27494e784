/** Whether an image has what its parameters ask of the network, and what remote unlock takes. */

import type { Word } from "../boot/cmdline/cmdline.ts";
import { type RemoteSettings, readRemoteSettings } from "../boot/remote/settings.ts";
import type { Options } from "../boot/cmdline/options.ts";
import { readApplets } from "../image/applets.ts";
import type { ArchiveTree } from "../image/archive-tree.ts";
import { findBusyboxes } from "../image/busybox.ts";
import { examineInterfaces } from "../image/host/interfaces.ts";
import { type Need, networkNeeds } from "../image/network-needs.ts";
import { readText } from "../image/module-tree.ts";
import { findFiles, findProgram } from "../image/recipes/look.ts";
import type { RootTree } from "../image/root-tree.ts";
import { text } from "../lib/bytes.ts";
import { readHostKey } from "../lib/ssh-key.ts";
import { LOGIN_SHELL } from "../unlock/login.ts";
import { error, type Finding, warning } from "./finding.ts";
import type { ImageModules } from "./kernel.ts";

/**
 * @param modules those of the image; undefined when it has none, and the kernel must have all built in
 * @param machine the machine whose interfaces have to be driven; undefined when it is not this one
 */
export function checkNetwork(
  tree: ArchiveTree,
  modules: ImageModules | undefined,
  { words, options }: { readonly words: readonly Word[]; readonly options: Options },
  machine: RootTree | undefined,
): Finding[] {
  const { settings } = readRemoteSettings(words);
  const isBuilt = tree.node(LOGIN_SHELL, "stay") !== undefined;
  const remote = settings.on ?? isBuilt;
  const { why, isForRoot, dhcp, needs } = networkNeeds(words, options, remote);
  const tell = isForRoot ? error : warning;
  const lacks = (name: string) => modules?.index.isKnown(name) === false;
  return [
    ...needs.flatMap((need) => missingParts(need, tree, lacks).map(need.why === why ? tell : error)),
    ...(why === undefined ? [] : missingCards(why, tree, modules, machine).map(tell)),
    ...(why !== undefined && dhcp && !hasDhcp(tree)
      ? [tell(`${why} asks for addresses by DHCP, and the image has no udhcpc.`)]
      : []),
    ...(remote ? checkRemote(tree, settings, isBuilt) : []),
  ];
}

function missingParts(
  { why, modules, programs }: Need,
  tree: ArchiveTree,
  lacks: (module: string) => boolean,
): string[] {
  const noModules = modules.filter((names) => names.every(lacks));
  const noPrograms = programs.filter((program) => findProgram(tree, program) === undefined);
  return [
    ...noModules.map((names) => `${why} needs the module ${names.join(" or ")}, which is not in the image.`),
    ...noPrograms.map((program) => `${why} needs the program ${program}, which is not in the image.`),
  ];
}

function missingCards(
  why: string,
  tree: ArchiveTree,
  modules: ImageModules | undefined,
  machine: RootTree | undefined,
): string[] {
  if (modules === undefined) return [];
  const { release, index } = modules;
  if (machine === undefined) {
    const any = tree.list(`/lib/modules/${release}/kernel/drivers/net`).length > 0;
    // Kernels for virtual machines and small boards have theirs built in, beside modules for all else.
    const builtin = readText(tree, `/lib/modules/${release}/modules.builtin`) ?? "";
    return any || /^kernel\/drivers\/net\//m.test(builtin)
      ? []
      : [`${why} needs a network interface, and the image has no module that drives one.`];
  }
  const { cards } = examineInterfaces(machine);
  const lacking = cards.filter(({ drivers }) => !drivers.some((driver) => index.isKnown(driver)));
  return lacking.map(
    ({ name, drivers }) =>
      `${why} needs the network, and the image has no driver for ${text(name)} (${text(drivers[0] ?? "unknown")}).`,
  );
}

function hasDhcp(tree: ArchiveTree): boolean {
  if (findProgram(tree, "udhcpc") !== undefined) return true;
  return findBusyboxes(tree).some((path) =>
    readApplets(tree.read(path) ?? new Uint8Array(0)).includes("udhcpc"),
  );
}

// The boot goes on by the console where these are missing.
function checkRemote(tree: ArchiveTree, { shell }: RemoteSettings, isBuilt: boolean): Finding[] {
  const keys = findFiles(tree, "/etc/dropbear/dropbear_*_host_key");
  const isWhole = (path: string) => readHostKey(tree.read(path) ?? new Uint8Array(0)) !== undefined;
  const mayLogIn = (tree.read("/root/.ssh/authorized_keys")?.length ?? 0) > 0;
  const faults = isBuilt
    ? [
        ...(findProgram(tree, "dropbear") === undefined ? ["it has no dropbear"] : []),
        ...(keys.some(isWhole) ? [] : ["it has no host key in /etc/dropbear"]),
        ...(mayLogIn ? [] : ["nobody may log in, as /root/.ssh/authorized_keys is missing or empty"]),
      ]
    : ["it was built without --ssh"];
  return [
    ...faults.map((fault) => warning(`It can't be unlocked over SSH: ${fault}.`)),
    ...(shell && tree.read("/bin/sh") === undefined
      ? [warning("rd.ssh.shell gives a shell over SSH, and the image has none.")]
      : []),
  ];
}
