/** The modules of an image for any machine: what `--generic` takes of a kernel, by the table beside this file. */

import { fromBytes } from "../lib/bytes.ts";
import { globMatch } from "../modules/glob.ts";
import { moduleName } from "../modules/names.ts";
import type { FileTree } from "./file-tree.ts";
import { isWantedForeigner } from "./generic-foreign.ts";
import { GENERIC_ROWS, NETWORK_ROWS, type FolderRow } from "./generic-table.ts";
import { modulesDirectory } from "./kmod.ts";

/** Which modules to choose. */
export interface GenericRequest {
  /** The kernel's release, as its directory in /lib/modules is called. */
  readonly release: string;
  /** Its modules directory within the root, when that is another one. */
  readonly directory?: string;
  /** Network cards, disks over the network and file systems of the network as well. */
  readonly network: boolean;
}

/**
 * The names of all storage, file system and keyboard drivers of a kernel, with their buses; what they need comes
 * along in collectModules(). Of modules that were installed beside the kernel's own (updates/, extra/,
 * weak-updates/), those count that take the place of one of these, or do the same.
 * @throws UserError when there are no modules or no modules.dep
 */
export function genericModules(root: FileTree, request: GenericRequest): string[] {
  const { release, network } = request;
  const directory = request.directory ?? modulesDirectory(root, release);
  const table = new Table(network ? [...GENERIC_ROWS, ...NETWORK_ROWS] : GENERIC_ROWS);
  const taken = (files: readonly string[]) => files.filter((file) => table.takes(file)).map(moduleName);
  const files = filesOf(root, `${directory}/modules.dep`);
  const names = taken(files);
  const foreign = files.filter((file) => !file.startsWith(KERNEL));
  if (foreign.length === 0) return names;
  // modules.order still has the places of those whose place was taken.
  const replaced = new Set(taken(filesOf(root, `${directory}/modules.order`)));
  const wanted = foreign.filter(
    (file) => replaced.has(moduleName(file)) || isWantedForeigner(root, directory, file, network),
  );
  return [...names, ...wanted.map(moduleName)];
}

const KERNEL = "kernel/";

// The first word of each line; modules.dep has a colon behind it.
function filesOf(root: FileTree, path: string): string[] {
  const lines = fromBytes(root.read(path) ?? new Uint8Array(0)).split("\n");
  return lines.map((line) => line.split(":", 1)[0] ?? "").filter((file) => file !== "");
}

/** The rows of a table by the folder that they are about. */
class Table {
  private readonly rows = new Map<string, FolderRow[]>();

  constructor(rows: readonly FolderRow[]) {
    for (const row of rows) {
      const same = this.rows.get(row.folder);
      if (same) same.push(row);
      else this.rows.set(row.folder, [row]);
    }
  }

  /** `file` is a path as modules.dep has it, with kernel/ in front. */
  takes(file: string): boolean {
    if (!file.startsWith(KERNEL)) return false;
    const name = moduleName(file);
    // All folders above it: "kernel/arch/x86/crypto/aesni-intel.ko" is in arch/x86/crypto, arch/x86 and arch.
    for (let end = file.lastIndexOf("/"); end > KERNEL.length; end = file.lastIndexOf("/", end - 1)) {
      const folder = file.slice(KERNEL.length, end).replace(ARCHITECTURE, "arch/*/");
      if (this.rows.get(folder)?.some((row) => rowTakes(row, name)) === true) return true;
    }
    return false;
  }
}

const ARCHITECTURE = /^arch\/[^/]+\//;

function rowTakes({ only, except }: FolderRow, name: string): boolean {
  const fits = (pattern: string) => globMatch(pattern, name);
  return (only === undefined || only.some(fits)) && except?.some(fits) !== true;
}
