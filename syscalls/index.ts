/**
 * What the rest of the program may use of this folder, on any runtime. The running kernel itself is
 * in native.ts, which only Bun can load.
 */

export * from "./constants.ts";
export { removeMapping } from "./dm.ts";
export { hasAllBtrfsDevices, scanBtrfsDevice } from "./btrfs.ts";
export { SysError, isErrno } from "./error.ts";
export {
  exists,
  list,
  mkdirs,
  readAll,
  readFile,
  readText,
  readTextIfThere,
  writeAll,
  writeFile,
} from "./files.ts";
export { type Loop, attachLoop } from "./loop.ts";
export { traced } from "./traced.ts";
export type {
  ChildStatus,
  Datagram,
  DirEntry,
  Disposition,
  Fd,
  FileType,
  LastAction,
  RebootAction,
  Rlimit,
  SlowSyscalls,
  Stat,
  StatFs,
  Syscalls,
  Utsname,
} from "./types.ts";
