/** What a command of the command-line tool is. All of them stand in src/cli.ts. */

/** An option: a switch, or one that takes a value. */
export interface Option {
  /** Without its dashes. */
  readonly name: string;
  /** Its one letter. */
  readonly short?: string;
  /** What it takes, as the help shows it ("FILE"); a switch has none. */
  readonly value?: string;
  /** An empty value makes sense, too. */
  readonly mayBeEmpty?: boolean;
  readonly meaning: string;
}

/** One command, as a table row: how it is called, and what it does. */
export interface Command {
  readonly name: string;
  /** Its operands as the help shows them: "IMAGE [PATH…]". */
  readonly operands: string;
  /** How few and how many operands it takes. */
  readonly operandCount: readonly [least: number, most: number];
  readonly summary: string;
  readonly options: readonly Option[];
  /**
   * Does it. Returns the exit status: 0, or 1 when the answer is no.
   * @throws UserError, which ends the program with status 2
   */
  readonly run: (call: Call) => Promise<number>;
}

/** One call of a command. Operands and values are byte strings, exactly as they were typed. */
export interface Call {
  readonly operands: readonly string[];
  /** What the option was given, the last time when it was given often; undefined when it was not. */
  readonly value: (option: string) => string | undefined;
  /** All that it was given, in the order given. */
  readonly values: (option: string) => readonly string[];
  readonly has: (option: string) => boolean;
  readonly terminal: Terminal;
}

/** Where a command writes to. */
export interface Terminal {
  /** Results: text, or bytes as they are. */
  readonly out: (result: string | Uint8Array) => void;
  /** A line for the person: a warning, a step. */
  readonly say: (line: string) => void;
  /** A line that the next one replaces, when a person watches; nothing otherwise. An empty one takes it away. */
  readonly progress: (line: string) => void;
  /** True when a person watches. */
  readonly watched?: boolean;
  /** True when results go to a person's screen, where no name may move the cursor. */
  readonly direct?: boolean;
}
