/** The types of files as people call them. */

import type { FileType } from "../../../syscalls/types.ts";

/** Words for a sentence, with their article: "a directory". */
export function describeFileType(type: FileType): string {
  return words[type];
}

const words: Readonly<Record<FileType, string>> = {
  file: "a regular file",
  directory: "a directory",
  symlink: "a symbolic link",
  block: "a block device",
  char: "a character device",
  fifo: "a named pipe",
  socket: "a socket",
};
