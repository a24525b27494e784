/** What `rdinit check` finds: sentences, and how bad each is. */

export interface Finding {
  /** "error": it would not boot. "warning": it may not, or does less than was meant. "fact": so it is. */
  readonly kind: "error" | "warning" | "fact";
  readonly sentence: string;
}

export function error(sentence: string): Finding {
  return { kind: "error", sentence };
}

export function warning(sentence: string): Finding {
  return { kind: "warning", sentence };
}

export function fact(sentence: string): Finding {
  return { kind: "fact", sentence };
}
