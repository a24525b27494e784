/** What a recipe says of a tool: all that it needs in an image and that its ELF header does not name. */

import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";

/**
 * One tool. Libraries that the ELF headers name, and the interpreters of scripts, come by themselves (libs.ts).
 * A pattern may have `*` and its like in any component (glob.ts); what is not there is left out without a word.
 */
export interface Recipe {
  /** As it is asked for; further names mean the same tool. */
  readonly names: readonly [string, ...string[]];
  /** The Debian package that has it, for the sentence that says it is missing. */
  readonly debian: string;
  /** Programs that must be there, by name or by path. */
  readonly programs: readonly string[];
  /** Programs that it calls, or that are of use beside it. */
  readonly programsIfThere?: readonly string[];
  /** Patterns below the directories of libraries: what its programs open by dlopen(3), with its own libraries. */
  readonly libraries?: readonly string[];
  /** Patterns of what they open below the directories of libraries and is no library. */
  readonly libraryData?: readonly string[];
  /** Patterns of files that it reads, absolute; of a directory, all that is below it. */
  readonly files?: readonly string[];
  readonly links?: Part["links"];
  readonly modulesIfThere?: readonly string[];
  /** What takes more than a pattern to tell. */
  readonly more?: (root: FileTree, context: RecipeContext) => RecipeAddition;
}

/** What a recipe may ask for. */
export interface RecipeContext {
  /** The paths of the recipe's programs. */
  readonly programs: readonly string[];
  /** The UUIDs of the md arrays that matter, in any spelling; undefined when nothing is known of them. */
  readonly arrays: readonly string[] | undefined;
  /** Whether root's login is for remote unlock. */
  readonly isUnlockedBySsh: boolean;
}

/** What a recipe adds by code. */
export type RecipeAddition = Omit<Part, "why">;
