import { expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import fc from "fast-check";
import { parseCommandLine } from "../../src/boot/cmdline/cmdline.ts";
import { AliasIndex } from "../../src/modules/alias.ts";
import { globMatch } from "../../src/modules/glob.ts";
import { ModuleIndex } from "../../src/modules/index.ts";
import { underscoredPattern, underscores } from "../../src/modules/names.ts";
import { planModules } from "../../src/modules/plan.ts";
import { XzError } from "../../src/modules/xz/error.ts";
import { unxz } from "../../src/modules/xz/xz.ts";

/** Text of few letters, so that patterns and subjects meet. */
const subject = fc.string({ unit: fc.constantFrom(..."ab:d0-_"), maxLength: 12 });
const set = fc
  .tuple(
    fc.constantFrom("", "!", "^"),
    fc.string({ unit: fc.constantFrom(..."ab0d:"), minLength: 1, maxLength: 3 }),
  )
  .map(([negation, members]) => `[${negation}${members}]`);
const range = fc.constantFrom("[a-b]", "[0-9]", "[!a-c]", "[a-]", "[]a]");
const pattern = fc
  .array(fc.oneof(subject, fc.constantFrom("*", "?", "\\*", "\\a"), set, range), { maxLength: 6 })
  .map((parts) => parts.join(""));

test("patterns match as fnmatch(3) matches them", () => {
  const libc = dlopen("libc.so.6", { fnmatch: { args: ["cstring", "cstring", "i32"], returns: "i32" } });
  const fnmatch = (glob: string, text: string) =>
    libc.symbols.fnmatch(Buffer.from(`${glob}\0`), Buffer.from(`${text}\0`), 0) === 0;
  fc.assert(
    fc.property(pattern, subject, (glob, text) => globMatch(glob, text) === fnmatch(glob, text)),
    { numRuns: 5000 },
  );
  libc.close();
});

test("the index of aliases finds what trying every pattern finds", () => {
  const alias = fc.tuple(
    pattern.filter((text) => text !== "" && !text.includes("\\")),
    fc.constantFrom("one", "two", "th-ree"),
  );
  fc.assert(
    fc.property(
      fc.array(alias, { maxLength: 20 }),
      fc.array(subject, { maxLength: 5 }),
      (aliases, subjects) => {
        const index = new AliasIndex(aliases.map(([glob, module]) => `alias ${glob} ${module}\n`).join(""));
        for (const text of subjects) {
          const expected = aliases.filter(([glob]) => globMatch(underscoredPattern(glob), underscores(text)));
          expect(new Set(index.match(text))).toEqual(
            new Set(expected.map(([, module]) => underscores(module))),
          );
        }
      },
    ),
    { numRuns: 1000 },
  );
});

const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
const names = fc.array(name, { maxLength: 4 });
const relations = fc.array(fc.tuple(name, names), { maxLength: 6 });

test("a plan has each module once, after all it waits for, whatever the dependencies are", () => {
  fc.assert(
    fc.property(relations, relations, relations, names, names, (needs, pre, post, wanted, loaded) => {
      const files: Record<string, string> = {
        "modules.dep": needs
          .map(([module, list]) => `k/${module}.ko:${list.map((m) => ` k/${m}.ko`).join("")}`)
          .join("\n"),
        "modules.softdep": [
          ...pre.map(([module, list]) => `softdep ${module} pre: ${list.join(" ")}`),
          ...post.map(([module, list]) => `softdep ${module} post: ${list.join(" ")}`),
        ].join("\n"),
      };
      const index = new ModuleIndex({ read: (file) => files[file], config: [], words: [] });
      const already = new Set<string>(loaded);
      const { steps, refused, missing } = planModules(index, wanted, already);
      const seen = new Set<string>();
      for (const step of steps) {
        expect(already.has(step.name) || seen.has(step.name)).toBe(false);
        for (const before of [...step.needs, ...step.after]) expect(seen.has(before)).toBe(true);
        seen.add(step.name);
      }
      const accounted = new Set<string>([
        ...seen,
        ...already,
        ...refused.map((one) => one.name),
        ...missing.map((one) => one.name),
      ]);
      for (const one of wanted) expect(accounted.has(one)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("no text of modules.dep, modprobe.d or the command line makes planning fail", () => {
  const text = fc.string({ unit: "binary", maxLength: 200 });
  fc.assert(
    fc.property(text, text, text, fc.array(text, { maxLength: 3 }), (list, config, line, wanted) => {
      const index = new ModuleIndex({
        read: () => list,
        config: [{ name: "x", text: config }],
        words: parseCommandLine(line),
      });
      planModules(index, wanted, new Set());
    }),
  );
});

test("damaged xz is refused or read, and never anything else", () => {
  const data = Buffer.from("some bytes, some bytes, and some more bytes ".repeat(20));
  const { stdout } = Bun.spawnSync(["xz", "-c", "--check=crc32", "--x86", "--lzma2"], { stdin: data });
  const good = new Uint8Array(stdout);
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(good.length), (changes, length) => {
      const bad = good.slice(0, length);
      for (const [at, value] of changes) if (at < length) bad[at] = value;
      try {
        return unxz(bad).length === data.length;
      } catch (error) {
        return error instanceof XzError;
      }
    }),
    { numRuns: 2000 },
  );
});
