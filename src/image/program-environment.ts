/** The environment of programs that the command-line tool starts. */

/**
 * That of this process, without LD_PRELOAD: the entry stub has put files of its own there (src/stub/entry.c), which no
 * other program could open. To be passed by name, as the runtime keeps a copy of its environment for children.
 */
export function programEnvironment(): Record<string, string | undefined> {
  const { LD_PRELOAD: _, ...rest } = process.env;
  return rest;
}
