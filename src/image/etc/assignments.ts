/** Files of shell assignments: vconsole.conf(5), Debian's /etc/default/keyboard. */

/** The last value of each name. Quotes are taken off as a shell would; nothing is expanded, and no other line counts. */
export function readAssignments(content: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of content.split("\n")) {
    const [, name, value] = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=([^]*)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, unquote(value ?? ""));
  }
  return values;
}

// One word: quoted and bare pieces side by side, up to the first bare blank.
function unquote(written: string): string {
  let word = "";
  for (const [piece] of written.matchAll(/'[^']*'|"(?:\\[^]|[^"\\])*"|\\[^]|[^'"\\]/g)) {
    if (/^\s/.test(piece)) break;
    if (piece.startsWith("'")) word += piece.slice(1, -1);
    else if (piece.startsWith('"')) word += piece.slice(1, -1).replace(/\\(["\\$`])/g, "$1");
    else word += piece.replace(/^\\/, "");
  }
  return word;
}
