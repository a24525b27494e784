/** What comes of a value: what it describes with sentences about parts of it that are left out, or why it is ignored. */
export type Parsed<T> = { readonly made: T; readonly problems: readonly string[] } | string;
