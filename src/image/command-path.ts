/** Where programs are looked for by their names, in a root as in an image. */

/** The directories, in their order. */
export const COMMAND_PATH: readonly string[] = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];
