import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { reduceMdadmConf } from "../../src/image/etc/mdadm-conf.ts";
import { readAssignments } from "../../src/image/etc/assignments.ts";
import { parseCrypttab } from "../../src/storage/crypttab.ts";
import { parseFstab } from "../../src/storage/fstab.ts";
import { splitOptions } from "../../src/storage/option-list.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const anyText = fc.string({ unit: "binary" }).map((text) => Buffer.from(text).toString("latin1"));

/** Lines of words that look like those of a table, with what may go wrong in one. */
function lines(words: readonly string[], letters: string): fc.Arbitrary<string> {
  const field = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...words) },
    fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 9 }),
  );
  const blank = fc.constantFrom(" ", "\t", "  ", " \t ");
  const line = fc
    .tuple(fc.constantFrom("", "", " ", "\t"), fc.array(fc.tuple(field, blank), { maxLength: 7 }))
    .map(([front, fields]) => front + fields.flat().join(""));
  return fc.array(line, { maxLength: 8 }).map((all) => all.join("\n"));
}

test("fstab is read as findmnt reads it", () => {
  const file = join(dir, "fstab");
  const letters = 'ab/\\0147#=,"-+8';
  const words = ["/dev/vda1", "UUID=a", "/", "/usr", "ext4", "defaults", "0", "1", "#", "a\\040b", "\\777"];
  fc.assert(
    fc.property(lines(words, letters), (content) => {
      // Bytes that are no UTF-8 would not come back from findmnt as they are; the first line tells it that this is
      // an fstab and no mountinfo.
      const ascii = `/dev/first / ext4\n${content}`.replace(
        /\\[23][0-7][0-7]|\\000|\\[4-7][0-7][0-7]/g,
        "\\040",
      );
      writeFileSync(file, ascii);
      const argv = [
        "findmnt",
        "--tab-file",
        file,
        "--json",
        "-o",
        "SOURCE,TARGET,FSTYPE,OPTIONS,FREQ,PASSNO",
      ];
      const { stdout, signalCode } = Bun.spawnSync(argv, { stderr: "ignore" });
      // That of util-linux 2.41 dies of a line that it calls a parse error.
      fc.pre(signalCode === undefined);
      const shown = stdout.toString();
      const theirs = shown === "" ? [] : (JSON.parse(shown) as { filesystems: unknown[] }).filesystems;
      const ours = parseFstab(ascii).entries.map((entry) => ({
        source: entry.device,
        target: entry.mountPoint,
        fstype: entry.type,
        options: entry.options === "" ? null : entry.options,
        freq: entry.frequency,
        passno: entry.pass,
      }));
      expect(ours).toEqual(theirs as typeof ours);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("a name in crypttab is decoded as printf's %b does it", () => {
  const name = fc.string({ unit: fc.constantFrom(..."ab\\01470"), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), (names) => {
      // What Debian leaves undefined, and the shell therefore decodes in its own way.
      const defined = names.map((one) =>
        one.replace(/\\(?!0)/g, "x").replace(/\\00{0,2}(?![1-7])/g, "\\0101"),
      );
      const argv = ["sh", "-c", 'for word; do printf "%b\\n" "$word"; done', "sh", ...defined];
      const theirs = Bun.spawnSync(argv, { env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } }).stdout.toString(
        "latin1",
      );
      const ours = defined.map((one) => parseCrypttab(`n ${one}`).entries[0]?.device ?? "");
      if (!theirs.includes("\0")) expect(`${ours.join("\n")}\n`).toBe(theirs);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test("any text is a crypttab and an fstab: each line that says something is an entry or a note", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, lines(["a", "/dev/b", "none", "luks"], 'a\\0/",:#')), (content) => {
      for (const parse of [parseCrypttab, parseFstab]) {
        const { entries, notes } = parse(content);
        const said = content.split("\n").filter((line) => /^[ \t\r\v\f]*[^ \t\r\v\f#]/.test(line));
        expect(entries.length + notes.length).toBeGreaterThanOrEqual(0);
        expect(entries.length + notes.length).toBeLessThanOrEqual(content.split("\n").length);
        if (parse === parseCrypttab) expect(entries.length + notes.length).toBe(said.length);
        for (const { line, text } of entries)
          expect(content.split("\n")[line - 1]?.replace(/\r$/, "")).toBe(text.replace(/\r$/, ""));
      }
    }),
    { numRuns: 500 },
  );
});

test("options come back as they were joined", () => {
  const option = fc
    .tuple(
      fc.stringMatching(/^[a-z-]{1,8}$/),
      fc.option(fc.stringMatching(/^([a-z0-9:/]|\\,|"[a-z,]*"){0,6}$/)),
    )
    .map(([name, value]) => (value === null ? name : `${name}=${value}`));
  fc.assert(
    fc.property(fc.array(option), (options) => expect(splitOptions(options.join(","))).toEqual(options)),
  );
  fc.assert(
    fc.property(anyText, (list) => expect(splitOptions(list).join("").length <= list.length).toBe(true)),
  );
});

const UUIDS = ["00112233:44556677:8899aabb:ccddeeff", "ffeeddcc:bbaa9988:77665544:33221100"] as const;

test("a reduced mdadm.conf stays as it is when it is reduced again, and keeps what is wanted", () => {
  const word = fc.constantFrom(
    ...["ARRAY", "DEV", "mail", "HOMEHOST", "#x", "/dev/md0", "'a b'", '"', "name=x"],
    ...UUIDS.map((uuid) => `UUID=${uuid}`),
  );
  const line = fc
    .tuple(fc.constantFrom("", "", " "), fc.array(word, { maxLength: 4 }))
    .map(([front, words]) => front + words.join(" "));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.subarray([...UUIDS]), (all, wanted) => {
      const reduced = reduceMdadmConf(all.join("\n"), wanted);
      expect(reduceMdadmConf(reduced, wanted)).toBe(reduced);
      for (const one of all)
        if (/^ARRAY UUID=\S+$/.test(one) && wanted.some((uuid) => one.endsWith(uuid)))
          expect(reduced).toContain(`${one}\n`);
    }),
    { numRuns: 500 },
  );
});

test("assignments are read as a shell reads them", () => {
  const value = fc
    .array(fc.constantFrom("a", "b c", "'x y'", '"p q"', "\\ ", "\\'", '"\\""', "'\\'", "-", "äß"), {
      maxLength: 4,
    })
    // A bare blank would end the word, and what follows would be a command.
    .map((pieces) => pieces.join("").replace(/b c/g, "bc"));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
      const content = values.map((one, at) => `N${at}=${one}\n`).join("");
      writeFileSync(join(dir, "assignments"), content);
      const script = `. ${join(dir, "assignments")}; ${values.map((_, at) => `printf '%s\\n' "$N${at}"`).join("; ")}`;
      const theirs = Bun.spawnSync(["sh", "-c", script]).stdout.toString();
      const ours = readAssignments(content);
      expect(values.map((_, at) => `${ours.get(`N${at}`)}\n`).join("")).toBe(theirs);
    }),
    { numRuns: 60 },
  );
}, 60_000);
