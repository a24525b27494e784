/** The tables of the benchmark as text, for a terminal or in Markdown. */

/** A row for what could not be measured. */
export interface Missing {
  readonly name: string;
  readonly why: string;
}

/** How a table looks. Each function returns lines. */
export interface Format {
  readonly title: (title: string, command: string) => string[];
  /** The first cell is the name of what stands in the rows. */
  readonly head: (cells: readonly string[]) => string[];
  readonly row: (cells: readonly string[]) => string[];
  readonly missing: (row: Missing, columns: number) => string[];
  /** Words below a table. */
  readonly note: (words: string) => string[];
}

const NAME_WIDTH = 30;
const CELL_WIDTH = 13;

export const TERMINAL: Format = {
  title: (title, command) => ["", `${title} (${command})`],
  head: (cells) => [inColumns(cells)],
  row: (cells) => [inColumns(cells)],
  missing: ({ name, why }) => [`${name.padEnd(NAME_WIDTH)}  not measured: ${why}`],
  note: (words) => [words],
};

export const MARKDOWN: Format = {
  title: (title, command) => ["", `${title} (\`${command}\`):`, ""],
  head: (cells) => [inBars(cells), inBars(cells.map(() => "---"))],
  row: (cells) => [inBars(cells)],
  missing: ({ name, why }, columns) => [inBars([name, why, ...Array<string>(columns - 2).fill("")])],
  note: (words) => ["", words],
};

function inColumns([name = "", ...cells]: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => ` ${cell}`.padStart(CELL_WIDTH)).join("");
}

function inBars(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
