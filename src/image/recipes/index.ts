/**
 * What programs need in an image besides the libraries that their ELF headers name, by recipes (table.ts).
 *
 * A program without a recipe is one that needs nothing else.
 */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { nearest } from "../../lib/nearest.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";
import { findFiles, findLibraryData, findLibraryFiles, findProgram } from "./look.ts";
import type { Recipe } from "./recipe.ts";
import { RECIPES } from "./table.ts";

/** What is known of the machine that the tools are for. */
export interface ToolNeeds {
  /** The UUIDs of the md arrays that matter, in any spelling; undefined takes all that mdadm.conf names. */
  readonly arrays?: readonly string[] | undefined;
  /** Whether root's login is for remote unlock (src/image/ssh). */
  readonly isUnlockedBySsh?: boolean;
}

/** The recipe for a tool of this name. */
export function findRecipe(name: string): Recipe | undefined {
  return RECIPES.find(({ names }) => names.includes(name));
}

/**
 * The tools of these names in `root`, each once: by recipe, or as programs by their names or absolute paths. Another
 * name of a program that has a recipe (vgchange is lvm) brings all that the recipe says.
 * @throws UserError for a tool that is not there
 */
export function toolParts(root: FileTree, names: readonly string[], needs: ToolNeeds = {}): Part[] {
  const parts = new Map<string, Part>();
  for (const name of names) {
    const recipe = findRecipe(name);
    const key = recipe?.names[0] ?? name;
    if (!parts.has(key))
      parts.set(key, recipe ? recipePart(root, recipe, needs) : programPart(root, name, needs));
  }
  return [...parts.values()];
}

/**
 * What a recipe brings from `root`.
 * @throws UserError when one of its programs is not there
 */
function recipePart(root: FileTree, recipe: Recipe, needs: ToolNeeds = {}): Part {
  const must = recipe.programs.map((name) => findProgram(root, name) ?? refuseMissing(root, recipe, name));
  const mayBe = (recipe.programsIfThere ?? []).flatMap((name) => findProgram(root, name) ?? []);
  const opened = must.map((program) => findLibraryFiles(root, program, recipe.libraries ?? []));
  const data = must.flatMap((program) => findLibraryData(root, program, recipe.libraryData ?? []));
  const more =
    recipe.more?.(root, {
      programs: must,
      arrays: needs.arrays,
      isUnlockedBySsh: needs.isUnlockedBySsh ?? false,
    }) ?? {};
  const files = (recipe.files ?? []).flatMap((pattern) => findFiles(root, pattern));
  return {
    ...more,
    why: `the tool ${recipe.names[0]}`,
    programs: unique([...must, ...mayBe, ...opened.flatMap(({ paths }) => paths), ...(more.programs ?? [])]),
    files: unique([...files, ...data, ...(more.files ?? [])]),
    links: [...(recipe.links ?? []), ...opened.flatMap(({ links }) => links), ...(more.links ?? [])],
    modulesIfThere: [...(recipe.modulesIfThere ?? []), ...(more.modulesIfThere ?? [])],
  };
}

function programPart(root: FileTree, name: string, needs: ToolNeeds): Part {
  const program = findProgram(root, name);
  if (program === undefined) refuseUnknown(root, name);
  const why = `the tool ${text(name)}`;
  const real = root.resolve(program)?.path ?? program;
  const recipe = RECIPES.find(({ programs }) => programs.includes(real.slice(real.lastIndexOf("/") + 1)));
  if (recipe === undefined) return { why, programs: [program] };
  const part = recipePart(root, recipe, needs);
  return { ...part, why, programs: unique([program, ...(part.programs ?? [])]) };
}

function refuseUnknown(root: FileTree, name: string): never {
  const meant = nearest(
    name,
    RECIPES.flatMap((recipe) => recipe.names),
  );
  throw new UserError(
    `There is no program ${text(name)} in ${text(root.outside("/"))}.`,
    meant === undefined
      ? "Install the package that has it, or leave it out."
      : `Did you mean ${meant}? Otherwise install the package that has it.`,
  );
}

function refuseMissing(root: FileTree, { names, debian }: Recipe, program: string): never {
  const tool = names[0] === program ? "" : `, which the tool ${names[0]} needs,`;
  throw new UserError(
    `The program ${text(program)}${tool} is not in ${text(root.outside("/"))}.`,
    `Install it (Debian's package is ${debian}), or leave the tool out.`,
  );
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}
