/** The kernel that an image is for: its modules, and whether it can unpack the image. */

import type { Archive } from "../image/archive.ts";
import type { ArchiveTree } from "../image/archive-tree.ts";
import { installedKernels } from "../image/kernel-choice.ts";
import { moduleIndex, readText } from "../image/module-tree.ts";
import { readKernelConfig } from "../image/kernel-config.ts";
import type { RootTree } from "../image/root-tree.ts";
import { text } from "../lib/bytes.ts";
import { DepIndex } from "../modules/dep.ts";
import type { ModuleIndex } from "../modules/index.ts";
import { error, fact, type Finding, warning } from "./finding.ts";

/** The modules of an image. */
export interface ImageModules {
  readonly release: string;
  readonly index: ModuleIndex;
}

/** The modules in it for `release`, or for the only kernel that it has some for; undefined when it has none. */
export function readImageModules(tree: ArchiveTree, release: string | undefined): ImageModules | undefined {
  const found = release ?? moduleReleases(tree)[0];
  if (found === undefined || !tree.resolve(`/lib/modules/${found}`)) return undefined;
  return { release: found, index: moduleIndex(tree, `/lib/modules/${found}`) };
}

/** Every module that modules.dep names, with its file; and whether such a kernel is installed in `root`. */
export function checkModules(tree: ArchiveTree, root: RootTree, wished: string | undefined): Finding[] {
  const releases = moduleReleases(tree);
  const findings = releases.flatMap((release) => missingFiles(tree, release));
  if (wished !== undefined && releases.length > 0 && !releases.includes(wished))
    return [
      ...findings,
      error(`It has no modules for the kernel ${text(wished)}, but for ${releases.map(text).join(", ")}.`),
    ];
  const installed = installedKernels(root);
  const strangers = releases.filter((release) => !installed.includes(release));
  if (wished === undefined && installed.length > 0 && strangers.length > 0)
    findings.push(
      warning(
        `It is for the kernel ${strangers.map(text).join(", ")}, which is not installed here ` +
          `(${installed.map(text).join(", ")} ${installed.length > 1 ? "are" : "is"}).`,
      ),
    );
  if (releases.length === 0)
    findings.push(fact("It has no kernel modules: the kernel must have all drivers built in."));
  return findings;
}

/** Whether the kernel was built to unpack what the image is compressed with; nothing when its configuration is unknown. */
export function checkUnpacking(archive: Archive, root: RootTree, release: string | undefined): Finding[] {
  const config = release === undefined ? undefined : readKernelConfig(root, release);
  if (config === undefined) return [];
  return [...new Set(archive.segments.map(({ compression }) => compression))]
    .filter(
      (compression) => compression !== "none" && config.get(`CONFIG_RD_${compression.toUpperCase()}`) !== "y",
    )
    .map((compression) =>
      error(
        `The kernel ${text(release ?? "")} can't unpack ${compression}: it was built without CONFIG_RD_${compression.toUpperCase()}.`,
      ),
    );
}

function moduleReleases(tree: ArchiveTree): string[] {
  return tree
    .list("/lib/modules")
    .filter((name) => tree.resolve(`/lib/modules/${name}`)?.type === "directory");
}

function missingFiles(tree: ArchiveTree, release: string): Finding[] {
  const directory = `/lib/modules/${release}`;
  const dep = readText(tree, `${directory}/modules.dep`);
  if (dep === undefined)
    return [error(`${text(directory)} has no modules.dep, so /init could load none of its modules.`)];
  const modules = new DepIndex(dep);
  return modules
    .names()
    .flatMap((name) => modules.get(name) ?? [])
    .filter(({ file }) => tree.node(file.startsWith("/") ? file : `${directory}/${file}`)?.type !== "file")
    .map(({ file }) => error(`The module ${text(file)} is missing, though modules.dep lists it.`));
}
