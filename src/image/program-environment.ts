/** The environment of programs that the command-line tool starts. */

/**
 * That of this process, without LD_PRELOAD: the entry stub has put files of its own there (src/stub/entry.c), which no
 * other program could open. Nor does it hold options for compressors, by which an image would be another with each
 * builder. To be passed by name, as the runtime keeps a copy of its environment for children.
 */
export function programEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !LEFT_OUT.has(name)));
}

/** xz(1), lz4(1), bzip2(1), lzop(1) */
const LEFT_OUT: ReadonlySet<string> = new Set(
  "LD_PRELOAD XZ_DEFAULTS XZ_OPT LZ4_CLEVEL LZ4_NBWORKERS BZIP BZIP2 LZOP".split(" "),
);
