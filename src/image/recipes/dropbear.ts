/** What dropbear needs for a login: an account. Its keys come by `--ssh` (src/image/ssh). */

import type { FileTree } from "../file-tree.ts";
import { accountFiles, nameServices } from "./accounts.ts";
import type { RecipeAddition, RecipeContext } from "./recipe.ts";

/** Accounts, and what reads them. */
export function dropbearAddition(
  root: FileTree,
  { programs: [program = ""], isUnlockedBySsh }: RecipeContext,
): RecipeAddition {
  return { programs: nameServices(root, program), made: accountFiles(root, isUnlockedBySsh) };
}
