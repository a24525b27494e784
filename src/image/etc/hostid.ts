/** /etc/hostid: four bytes by which ZFS knows whose pool it is (gethostid(3), spl_hostid). */

import { text } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";

/** The file as it is; a note when it is no host ID. */
export function hostidPart(root: FileTree): Part[] {
  const found = root.resolve(PATH);
  if (found?.type !== "file") return [];
  if (found.size === BYTES) return [{ why: "the host ID", files: [PATH] }];
  const note = `${text(root.outside(PATH))} has ${found.size} bytes, while a host ID has ${BYTES}: it is left out.`;
  return [{ why: "the host ID", notes: [note] }];
}

const PATH = "/etc/hostid";
const BYTES = 4;
