/**
 * The kernel command line, cut into words as the kernel cuts it.
 *
 * Follows next_arg() and parse_args() of the kernel's lib/cmdline.c and kernel/params.c.
 */

/** One word of the command line. `value` is undefined for a bare word. */
export interface Word {
  /** As written. Compare with `sameName`: the kernel takes - and _ for the same. */
  readonly name: string;
  readonly value: string | undefined;
}

/** So many bytes of a command line count: COMMAND_LINE_SIZE of x86, without the NUL behind them. */
export const longestLine_bytes = 2047;

/** The words before `--`, in their order; all behind it belong to the init alone. */
export function parseCommandLine(line: string): Word[] {
  return splitCommandLine(line).words;
}

/** The words before `--`, and those behind it up to another one; undefined when there is none. */
export function splitCommandLine(line: string): { words: Word[]; behind: Word[] | undefined } {
  const source = line.replace(/\0[^]*$/, "");
  const { words, rest } = upToDashes(source, 0);
  return { words, behind: rest === undefined ? undefined : upToDashes(source, rest).words };
}

function upToDashes(source: string, start: number): { words: Word[]; rest: number | undefined } {
  const words: Word[] = [];
  let at = start;
  for (;;) {
    while (at < source.length && isSpace(source, at)) at++;
    if (at >= source.length) return { words, rest: undefined };
    const { word, end } = nextWord(source, at);
    if (word.name === "--" && word.value === undefined) return { words, rest: end };
    words.push(word);
    at = end;
  }
}

/** True when the kernel would take both for the same parameter. */
export function sameName(a: string, b: string): boolean {
  // Each word is compared with some hundred names at each boot, before its first words.
  return a.length === b.length && (a === b || a.replaceAll("-", "_") === b.replaceAll("-", "_"));
}

// isspace() of lib/ctype.c; 0xa0 counts, as the kernel's table is latin1.
function isSpace(source: string, at: number): boolean {
  const code = source.charCodeAt(at);
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0;
}

function nextWord(source: string, start: number): { word: Word; end: number } {
  const quoted = source[start] === '"';
  const first = quoted ? start + 1 : start;
  let inQuotes = quoted;
  let equals = -1;
  let end = first;
  for (; end < source.length; end++) {
    if (isSpace(source, end) && !inQuotes) break;
    if (equals < 0 && end > first && source[end] === "=") equals = end;
    if (source[end] === '"') inQuotes = !inQuotes;
  }
  // A quote that opens the word, or the value, takes the closing one with it.
  const closed = end > first && source[end - 1] === '"';
  if (equals < 0)
    return { word: { name: source.slice(first, quoted && closed ? end - 1 : end), value: undefined }, end };
  const valueQuoted = source[equals + 1] === '"';
  const valueStart = valueQuoted ? equals + 2 : equals + 1;
  const valueEnd = closed && (quoted || valueQuoted) ? end - 1 : end;
  return {
    word: {
      name: source.slice(first, equals),
      value: source.slice(valueStart, Math.max(valueStart, valueEnd)),
    },
    end,
  };
}
