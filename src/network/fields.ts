/** Words whose fields have colons between them, where addresses with colons may be fields. */

/**
 * The fields of a value. An address in brackets, with or without a prefix in or behind them, is one field, and so is a
 * MAC address with colons. Undefined when a bracket is not closed, or something stands behind it.
 */
export function splitFields(value: string): string[] | undefined {
  const fields: string[] = [];
  for (let rest = value; ;) {
    const field = (rest.startsWith("[") ? BRACKETED : FIELD).exec(rest)?.[0];
    if (field === undefined) return undefined;
    fields.push(field);
    if (field.length === rest.length) return fields;
    rest = rest.slice(field.length + 1);
  }
}

/** The fields of a value whose fields are lists with commas, in which MAC addresses and addresses in brackets may stand. */
export function splitListFields(value: string): string[] {
  const fields: string[] = [];
  for (let rest = value; ;) {
    const field = LIST.exec(rest)?.[0] ?? rest;
    fields.push(field);
    if (field.length === rest.length) return fields;
    rest = rest.slice(field.length + 1);
  }
}

/** The field without its brackets; a prefix behind them stays behind. */
export function unbracket(field: string): string {
  const found = /^\[([^\]]*)\](.*)$/.exec(field);
  return found === null ? field : `${found[1]}${found[2]}`;
}

// An address of InfiniBand has twenty bytes.
const PAIR = "[0-9a-f]{2}";
const MAC = `${PAIR}(?:(?::${PAIR}){19}|(?::${PAIR}){5})`;
const FIELD = new RegExp(`^(?:${MAC}(?=:|$)|[^:]*)`, "i");
const LIST = new RegExp(`^(?:(?<=^|[,=])${MAC}(?=[,:]|$)|\\[[^\\]]*\\]|[^:])*`, "i");
const BRACKETED = /^\[[^\]]*\](?:\/[^:]*)?(?=:|$)/;
