/**
 * Shell patterns as fnmatch(3) reads them without flags: the language of modules.alias.
 *
 * `*`, `?`, `[abc]`, `[0-9]`, `[!x]` and `\` before a character meant as itself. Character classes
 * such as `[[:digit:]]` are left out: no kernel alias has them.
 */

/** True when the whole of `subject` fits `pattern`. Takes time in |pattern| * |subject| at worst. */
export function globMatch(pattern: string, subject: string): boolean {
  let p = 0;
  let s = 0;
  // Where to go on after a mismatch: one character more goes to the last star that was met.
  let retryPattern = -1;
  let retrySubject = 0;
  while (s < subject.length || p < pattern.length) {
    if (p < pattern.length && pattern.charCodeAt(p) === STAR) {
      while (p < pattern.length && pattern.charCodeAt(p) === STAR) p++;
      if (p === pattern.length) return true;
      retryPattern = p;
      retrySubject = s;
      continue;
    }
    const next = s < subject.length && p < pattern.length ? step(pattern, p, subject.charCodeAt(s)) : -1;
    if (next >= 0) {
      p = next;
      s++;
    } else {
      if (retryPattern < 0 || retrySubject >= subject.length) return false;
      p = retryPattern;
      s = ++retrySubject;
    }
  }
  return true;
}

/** Index of the `]` that closes the set opened at `open`, or -1: then the `[` is an ordinary character. */
export function closingBracket(pattern: string, open: number): number {
  let at = open + 1;
  if (isNegation(pattern.charCodeAt(at))) at++;
  // A ] in the first place belongs to the set.
  for (let first = true; at < pattern.length; at++, first = false) {
    const code = pattern.charCodeAt(at);
    if (code === CLOSE && !first) return at;
    if (code === BACKSLASH) at++;
  }
  return -1;
}

const STAR = 0x2a;
const DASH = 0x2d;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

function isNegation(code: number): boolean {
  return code === 0x21 || code === 0x5e;
}

// The index behind the one element at `p` when it takes the character `code`, else -1.
function step(pattern: string, p: number, code: number): number {
  const element = pattern.charCodeAt(p);
  if (element === QUESTION) return p + 1;
  if (element === OPEN) {
    const close = closingBracket(pattern, p);
    if (close >= 0) return inSet(pattern, p + 1, close, code) ? close + 1 : -1;
  }
  if (element === BACKSLASH) return pattern.charCodeAt(p + 1) === code ? p + 2 : -1;
  return element === code ? p + 1 : -1;
}

function inSet(pattern: string, start: number, end: number, code: number): boolean {
  let at = start;
  const negated = isNegation(pattern.charCodeAt(at));
  if (negated) at++;
  let found = false;
  while (at < end) {
    if (pattern.charCodeAt(at) === BACKSLASH) at++;
    const low = pattern.charCodeAt(at++);
    let high = low;
    // A dash in the last place belongs to the set.
    if (at + 1 < end && pattern.charCodeAt(at) === DASH) {
      at++;
      if (pattern.charCodeAt(at) === BACKSLASH) at++;
      high = pattern.charCodeAt(at++);
    }
    if (low <= code && code <= high) found = true;
  }
  return found !== negated;
}
