/** mdadm's configuration in an image: the arrays that matter, and what it may do with them. */

import { fromBytes, toBytes } from "../../lib/bytes.ts";
import { reduceMdadmConf } from "../etc/mdadm-conf.ts";
import type { FileTree } from "../file-tree.ts";
import type { MadeFile } from "../part.ts";
import { findFiles } from "./look.ts";
import { accountFiles } from "./accounts.ts";
import type { RecipeAddition, RecipeContext } from "./recipe.ts";

/** Debian's places and those of the others; mdadm reads the first file that is there, and then the directory. */
const PATTERNS: readonly string[] = [
  "/etc/mdadm/mdadm.conf",
  "/etc/mdadm.conf",
  "/etc/mdadm/mdadm.conf.d/*.conf",
  "/etc/mdadm.conf.d/*.conf",
];

/** The reduced configuration, and the names of users where it speaks of some. */
export function mdadmAddition(root: FileTree, { arrays, isUnlockedBySsh }: RecipeContext): RecipeAddition {
  const made: MadeFile[] = PATTERNS.flatMap((pattern) => findFiles(root, pattern)).flatMap((path) => {
    const content = root.read(path);
    return content ? [{ to: path, data: toBytes(reduceMdadmConf(fromBytes(content), arrays)) }] : [];
  });
  const named = made.some(({ data }) => /\b(?:owner|group)=/i.test(fromBytes(data)));
  return { made: named ? [...made, ...accountFiles(root, isUnlockedBySsh)] : made };
}
