/** Hooks for an image: those in /etc/rdinit.d that process 1 would run (boot/hooks.ts). */

import { chooseHooks, hooksDirectory, unknownPoints } from "../../boot/hooks.ts";
import { hookPoints } from "../../boot/points.ts";
import { text } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";

/**
 * The hooks of all points with their interpreters and libraries. What is none stays out, with a note unless it is
 * hidden or left behind by an editor or a package manager.
 */
export function hooksPart(root: FileTree): Part[] {
  const programs: string[] = [];
  const notes = unknownPoints(root.list(hooksDirectory));
  for (const { name: point } of hookPoints) {
    const directory = `${hooksDirectory}/${point}`;
    const { hooks, complaints } = chooseHooks(root.list(directory));
    notes.push(...complaints.map((complaint) => `${directory}/${complaint}`));
    for (const path of hooks.map((name) => `${directory}/${name}`)) {
      const fault = whyNoHook(root, path);
      if (fault === undefined) programs.push(path);
      else notes.push(`${text(path)} ${fault}, and so no hook in the image.`);
    }
  }
  return programs.length + notes.length === 0 ? [] : [{ why: "a hook", programs, notes }];
}

const ANY_EXECUTE = 0o111;

function whyNoHook(root: FileTree, path: string): string | undefined {
  const found = root.resolve(path);
  if (found?.type !== "file") return "is no file";
  return (found.mode & ANY_EXECUTE) === 0 ? "is not executable (chmod +x makes it so)" : undefined;
}
